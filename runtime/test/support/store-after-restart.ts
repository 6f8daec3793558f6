/** What a restarted robot makes of a folder: opens the store as it is, looks at everything in it, and deploys the next policy into it. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { canonicalJson } from '@sim2servo/models/digest';
import { messageOf } from '@sim2servo/models/error';
import { openPolicySession } from '../../src/policy-session.js';
import { deployToFolder } from '../../src/releases/deploy-to-folder.js';
import { historyFile } from '../../src/releases/history.js';
import { openStore, type ReleaseStore } from '../../src/releases/release-store.js';
import { runningNow } from '../../src/releases/running.js';
import { type FoundFolder, fingerprint, LostPower, materialise } from './lost-power.js';
import { type Operation, RecordingDisk, unsyncedDisk } from './recording-disk.js';

/** What a store says of itself. */
export interface View {
  /** Who drives, who did, who is on trial, who is bad, how far the sequence is: all of one moment. */
  readonly policies: string;
  /** A damaged one with a mark behind its name. */
  readonly releases: readonly string[];
  readonly records: readonly string[];
  readonly history: readonly string[];
}

const filesOfStore = [
  'current',
  'history.jsonl',
  'incoming',
  'previous',
  'records',
  'releases',
  'running.json',
  'state.json',
];
export const bootNow = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

function assert(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem);
}

function releasesOf(store: ReleaseStore): string[] {
  return readdirSync(join(store.folder, 'releases')).map(name => {
    try {
      return loadBundle(store.releaseFolder(name)).digest === name ? name : `${name} under a wrong name`;
    } catch {
      return `${name} damaged`;
    }
  });
}

export function viewOf(store: ReleaseStore): View {
  const { trial, bad, sequence } = store.state();
  // Where there is none there is no word of it.
  const policies = { current: store.current(), previous: store.previous(), trial, bad, sequence };
  return {
    policies: canonicalJson(policies),
    releases: releasesOf(store),
    records: readdirSync(join(store.folder, 'records')).map(name => {
      const record = store.record(basename(name, '.json'));
      return `${name}: ${record!.ticks} ticks`;
    }),
    history: store.history().map(({ event, id }) => `${event} ${id}`),
  };
}

/** @throws Error what no robot may start with */
async function checkStart(store: ReleaseStore): Promise<void> {
  const { trial } = store.state();
  const named = [store.current(), store.previous(), trial?.digest, trial?.replaces].filter(
    digest => digest !== undefined,
  );
  for (const digest of named) loadBundle(store.releaseFolder(digest));
  const current = store.current();
  if (current !== undefined) {
    const session = await openPolicySession(loadBundle(store.releaseFolder(current)));
    assert(session.goldenMaxError < 1e-5, 'its golden vectors fail');
    await session.dispose();
    assert(!(current in store.state().bad), 'a bad policy drives');
  }
  assert(runningNow(store) === undefined, 'somebody drives, as it seems');
}

function checkTidy(folder: string, most: number): void {
  const names = readdirSync(folder);
  const odd = names.filter(name => !filesOfStore.includes(name));
  // Locks of the dead go when the next is taken.
  assert(
    odd.every(name => /^(?:state\.)?lock/.test(name)),
    `left behind: ${odd}`,
  );
  for (const inner of ['releases', 'records'])
    for (const name of readdirSync(join(folder, inner))) assert(!name.startsWith('.'), `left behind: ${inner}/${name}`);
  assert(readdirSync(join(folder, 'releases')).length <= most, 'the disk grows');
}

/** Deploys a bundle into the store at `folder`. @returns its digest */
export type DeployNext = (folder: string) => Promise<string>;

/** @param next a bundle that no store has seen */
export const deployingHere =
  (next: string): DeployNext =>
  async folder =>
    (await deployToFolder(next, folder, {}, unsyncedDisk)).digest;

/**
 * What a store that was opened after a restart is good for.
 *
 * @throws Error what is wrong
 */
export async function tryStore(store: ReleaseStore, deployNext: DeployNext): Promise<View> {
  const { folder } = store;
  const view = viewOf(store);
  await checkStart(store);
  checkTidy(folder, Number.POSITIVE_INFINITY);
  const { trial } = store.state();
  const good = trial === undefined ? store.current() : trial.replaces;
  const digest = await deployNext(folder);
  assert(store.state().trial?.digest === digest, 'the next deployment did not put its policy on trial');
  assert(store.current() === (good ?? digest), 'the next deployment changed what is current');
  await checkStart(store);
  checkTidy(folder, 3);
  assert(!['lock', 'state.lock'].some(name => existsSync(join(folder, name))), 'a lock is left');
  return view;
}

export interface Start {
  readonly view: View;
  /** What the opening did. */
  readonly mended: readonly Operation[];
}
export type StartOrProblem = Start | { readonly problem: string };

/** Starts with what is found on a disk. What was seen once is not looked at again. */
export class Starts {
  readonly #scratch: string;
  readonly #deployNext: DeployNext;
  readonly #byFound = new Map<string, StartOrProblem>();
  readonly #byOpened = new Map<string, View>();

  constructor(scratch: string, deployNext: DeployNext) {
    this.#scratch = scratch;
    this.#deployNext = deployNext;
  }

  /** Different disks that were started with, and different stores that came of opening them. */
  get counts() {
    return { disks: this.#byFound.size, stores: this.#byOpened.size };
  }

  async with(found: FoundFolder): Promise<StartOrProblem> {
    const print = fingerprint(found);
    const known = this.#byFound.get(print);
    if (known !== undefined) return known;
    const start = await this.#start(found);
    this.#byFound.set(print, start);
    return start;
  }

  async #start(found: FoundFolder): Promise<StartOrProblem> {
    rmSync(this.#scratch, { recursive: true, force: true });
    materialise(found, this.#scratch, bootNow);
    const disk = new RecordingDisk(this.#scratch, unsyncedDisk);
    try {
      const store = openStore(join(this.#scratch, 'store'), disk);
      const mended = [...disk.operations];
      const opened = this.#printOf();
      const view = this.#byOpened.get(opened) ?? (await tryStore(store, this.#deployNext));
      this.#byOpened.set(opened, view);
      return { view, mended };
    } catch (error) {
      return { problem: messageOf(error) };
    }
  }

  /** But for the hours in the history. */
  #printOf(): string {
    const hours = /"at":"[^"]*"/g;
    const store = LostPower.after(join(this.#scratch, 'store')).now();
    const history = Buffer.from(store.entries.get(historyFile) as Uint8Array);
    const timeless = Buffer.from(history.toString('latin1').replace(hours, ''), 'latin1');
    return fingerprint({ entries: new Map(store.entries).set(historyFile, timeless) });
  }
}
