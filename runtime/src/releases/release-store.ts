/**
 * Policies on a robot: `releases/<digest>/`, and two links, `current` and `previous`. A reader sees the old policy or the new one,
 * never neither and never half of one. What is under way stands in `state.json` before anything is done about it, so that whoever opens the
 * store after a loss of power can finish it (docs/deploy.md has the table).
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Bundle, type BundleExpectation, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { admitRelease, removeRelease } from './admit-release.js';
import { type Disk, realDisk } from './disk.js';
import { appendHistory, type HistoryEntry } from './history.js';
import type { PolicyRecord } from './policy-record.js';
import { runningNow } from './running.js';
import type { SelfTest } from './self-test.js';
import { StoreFolder } from './store-folder.js';
import type { StoreState, Trial } from './store-state.js';
import { commitTrial, finishTrial, giveUpTrial, isUnfinished, rollBackTrial } from './trial-ends.js';

export interface Admitted extends SelfTest {
  readonly digest: string;
  /** The folder of the release. */
  readonly release: string;
}

export interface Proposal extends Pick<Trial, 'id' | 'skip'> {
  /** Who asks, for the history. */
  readonly by: string;
  /** `limited` makes it current at once: for a store that no loop follows. */
  readonly phase?: 'shadow' | 'limited';
}

/** What the history is to have besides. */
type More = Partial<Pick<HistoryEntry, 'seconds' | 'figures'>>;

/** Whether `dir` is a store, and not itself a bundle. */
export function isReleaseStore(dir: string): boolean {
  return !existsSync(join(dir, 'policy.json')) && existsSync(join(dir, 'releases'));
}

/**
 * The folder with the bundle: `dir` itself, or the current release of the store that it is.
 *
 * @throws KitError E_POLICY_MISSING
 */
export function resolvePolicy(dir: string): string {
  if (existsSync(join(dir, 'policy.json'))) return dir;
  const current = join(dir, 'current');
  if (existsSync(join(current, 'policy.json'))) return realpathSync(current);
  throw new KitError(
    'E_POLICY_MISSING',
    `${dir} holds neither a policy (policy.json) nor a release store (current/policy.json)`,
    'export one with `kit export`, deploy it with `kit deploy BUNDLE --to DIR`',
    'usage',
  );
}

/**
 * Opens the store in `folder`, which is made where there is none, and finishes what a loss of power left. A trial that a living loop is at is
 * left to it: open first, then `announceRunning`.
 *
 * @throws KitError E_DEPLOY_TARGET where it is no folder, no store, or can't be written to
 */
export function openStore(folder: string, disk: Disk = realDisk): ReleaseStore {
  const store = new StoreFolder(folder, disk);
  store.make();
  if (store.drafts().length > 0 || isUnfinished(store))
    store.change(() => {
      for (const draft of store.drafts()) disk.remove(draft);
      finishTrial(store);
    });
  return new ReleaseStore(store);
}

/** Longer than anybody takes to send a bundle. */
const receivingMs = 3_600_000;

function refuseBad({ bad }: StoreState, digest: string): void {
  if (bad[digest] !== undefined)
    throw new KitError(
      'E_BUNDLE_BAD',
      `policy ${shortDigest(digest)} failed on this robot: ${bad[digest]}`,
      'train another, or export it again once the reason is mended',
    );
}

export class ReleaseStore {
  readonly #store: StoreFolder;

  /** Of {@link openStore}. */
  constructor(store: StoreFolder) {
    this.#store = store;
  }

  get folder(): string {
    return this.#store.folder;
  }

  get disk(): Disk {
    return this.#store.disk;
  }

  state(): StoreState {
    return this.#store.state();
  }

  /** Digest of what drives. */
  current(): string | undefined {
    return this.#store.linked('current');
  }

  /** Digest of the last good one before it. */
  previous(): string | undefined {
    const previous = this.#store.linked('previous');
    return previous === this.current() ? undefined : previous;
  }

  releaseFolder(digest: string): string {
    return this.#store.at('releases', digest);
  }

  /**
   * Lets a verified bundle in, tested as it lies here. It is not current by that.
   *
   * @param sequence of its signature; from now on no lower one is let in
   * @throws KitError E_BUNDLE_BAD, E_BUNDLE_DOWNGRADE, E_DEPLOY_TARGET, and what `admitRelease` throws; the store is as it was then
   */
  async admit(
    bundle: Bundle,
    expected: BundleExpectation,
    { sequence }: { readonly sequence?: number | undefined } = {},
  ): Promise<Admitted> {
    const { digest } = bundle;
    const before = this.state();
    refuseBad(before, digest);
    if (sequence !== undefined && sequence < before.sequence && digest !== this.current())
      throw new KitError(
        'E_BUNDLE_DOWNGRADE',
        `policy ${shortDigest(digest)} has sequence ${sequence}; this robot has let in ${before.sequence} already`,
        'sign it again to give it a new sequence, or go back by kit deploy rollback',
      );
    try {
      const tested = await admitRelease(this.disk, this.#store.at('releases'), bundle, expected);
      if (sequence !== undefined)
        this.#store.change(state => state.sequence < sequence && this.#store.write({ ...state, sequence }));
      return { ...tested, digest, release: this.releaseFolder(digest) };
    } catch (error) {
      throw this.#store.named(error);
    }
  }

  /**
   * Puts an admitted policy on trial, in place of one that waits for a loop to try it.
   *
   * @returns false where nothing is to be tried: it drives already
   * @throws  KitError E_DEPLOY_BUSY where a loop tries another, E_BUNDLE_BAD, E_POLICY_MISSING
   */
  propose(digest: string, { id, skip, by, phase = 'shadow' }: Proposal): boolean {
    const store = this.#store;
    return store.change(before => {
      finishTrial(store);
      refuseBad(before, digest);
      resolvePolicy(this.releaseFolder(digest));
      const { trial: waiting } = store.state();
      if (waiting !== undefined && runningNow(this) !== undefined)
        throw new KitError(
          'E_DEPLOY_BUSY',
          `policy ${shortDigest(waiting.digest)} is on trial here just now (${waiting.phase})`,
          'wait for its end, or end it by kit deploy rollback',
        );
      const replaces = waiting === undefined ? this.current() : waiting.replaces;
      const givenUp =
        waiting?.digest === digest ? 'deployed again, untried' : `given up for ${shortDigest(digest)}, untried`;
      if (replaces === digest) {
        if (waiting !== undefined) giveUpTrial(store, waiting, givenUp, { by });
        return false;
      }
      // What becomes current at once takes the place of the one that waits in one step: whoever reads the store always finds a policy.
      if (waiting !== undefined && phase === 'shadow') store.link('current', replaces);
      const left = Object.entries(skip).map(([what, reason]) => `, without ${what}: ${reason}`);
      const ended = waiting && {
        id: waiting.id,
        digest: waiting.digest,
        event: 'rolled-back' as const,
        words: givenUp,
        by,
      };
      store.note(...(ended === undefined ? [] : [ended]), {
        id,
        digest,
        event: 'proposed',
        words: `to be tried${left.join('')}`,
        by,
      });
      const trial: Trial = { id, digest, ...(replaces && { replaces }), phase, running: false, skip };
      store.write({ ...store.state(), trial });
      if (phase === 'limited') store.link('current', digest);
      return true;
    });
  }

  /** From now on the policy on trial drives. @throws KitError E_NO_TRIAL */
  enter(phase: 'limited' | 'full'): void {
    this.#tried((trial, state) => {
      const entered = { ...state, trial: { ...trial, phase } };
      // Where it drives already the phase changes nothing about what a loss of power leads to.
      if (this.current() === trial.digest) this.#store.settle(entered);
      else {
        this.#store.write(entered);
        this.#store.link('current', trial.digest);
      }
    });
  }

  /** A loop begins to drive with it: where nothing is heard of that loop again, the policy was the reason. @throws KitError E_NO_TRIAL */
  started(): void {
    this.#tried((trial, state) => this.#store.write({ ...state, trial: { ...trial, running: true } }));
  }

  /** The run ended in order: the next one goes on with the trial, if there still is one. */
  paused(): void {
    this.#store.change(state => {
      if (state.trial?.running === true) this.#store.write({ ...state, trial: { ...state.trial, running: false } });
    });
  }

  /** The policy on trial is good. Its line in the history decides that; the rest is finished at the next opening. @throws KitError E_NO_TRIAL */
  commit(record: PolicyRecord, more: More = {}): void {
    this.#tried(trial => {
      const { id, digest } = trial;
      this.#store.keepRecord(digest, record);
      const { format, ...figures } = record;
      this.#store.note({ id, digest, event: 'committed', words: 'it drives from now on', figures, ...more });
      commitTrial(this.#store, trial);
    });
  }

  /**
   * The policy on trial is bad, and never comes in again. What it was to replace drives. Where somebody has begun with that, and was
   * interrupted, it is finished, for that one's reason.
   *
   * @throws KitError E_NO_TRIAL
   */
  rollback(reason: string, by?: string, more: More = {}): void {
    const told = { ...more, ...(by && { by }) };
    this.#store.change(({ trial }) => rollBackTrial(this.#store, this.#onTrial(trial), trial?.reason ?? reason, told));
  }

  /**
   * An operator wants the one before, whatever its sequence: the one on trial goes, or `previous` and `current` change places. Nothing is
   * marked bad.
   *
   * @returns digest of what drives from now on
   * @throws  KitError E_ROLLBACK_NONE; E_BUNDLE_* where the one before is damaged
   */
  operatorRollback(reason: string, by: string): string {
    const store = this.#store;
    return store.change(() => {
      finishTrial(store);
      const { trial } = store.state();
      const from = trial?.digest ?? this.current();
      const to = trial === undefined ? this.previous() : trial.replaces;
      if (from === undefined || to === undefined)
        throw new KitError(
          'E_ROLLBACK_NONE',
          `${this.folder} has no policy to go back to`,
          'deploy one: kit deploy BUNDLE',
          'usage',
        );
      loadBundle(this.releaseFolder(to));
      const words = `${reason} (back to ${shortDigest(to)})`;
      if (trial !== undefined) giveUpTrial(store, trial, words, { by });
      else {
        store.link('current', to);
        store.link('previous', from);
        store.note({ id: randomBytes(8).toString('hex'), digest: from, event: 'rolled-back', words, by });
      }
      return to;
    });
  }

  /** How a policy did here while it drove. */
  record(digest: string): PolicyRecord | undefined {
    return this.#store.record(digest);
  }

  keepRecord(digest: string, record: PolicyRecord): void {
    this.#store.change(() => this.#store.keepRecord(digest, record));
  }

  /** Oldest first. */
  history(last = Number.POSITIVE_INFINITY): HistoryEntry[] {
    return this.#store.history(last);
  }

  /** Adds a line to the history. `proposed`, `committed` and `rolled-back` the store writes itself. */
  note(entry: HistoryEntry): void {
    this.#store.change(() => appendHistory(this.disk, this.folder, entry));
  }

  /**
   * Removes what nobody needs any more: every release, with its record, but the current, the previous, those of a trial and what drives;
   * received files that came long before the newest release: younger ones may be another deployer's, who waits for the lock.
   *
   * @returns digests of the releases that went
   */
  prune(): string[] {
    const { disk } = this;
    const at = (...names: string[]) => this.#store.at(...names);
    return this.#store.change(({ trial }) => {
      const links = [this.#store.linked('current'), this.#store.linked('previous')];
      const kept = new Set([...links, trial?.digest, trial?.replaces, runningNow(this)?.digest]);
      const releases = readdirSync(at('releases')).filter(name => !name.startsWith('.'));
      const old = releases.filter(name => !kept.has(name));
      for (const digest of old) removeRelease(disk, at('releases'), digest);
      const orphans = readdirSync(at('records')).filter(name => !kept.has(basename(name, '.json')));
      for (const name of orphans) disk.remove(at('records', name));
      if (orphans.length > 0) disk.sync(at('records'));
      const newestMs = Math.max(
        ...releases.filter(name => kept.has(name)).map(name => statSync(at('releases', name)).mtimeMs),
      );
      for (const name of readdirSync(at('incoming')))
        if (statSync(at('incoming', name)).mtimeMs < newestMs - receivingMs) disk.remove(at('incoming', name));
      return old;
    });
  }

  #tried(change: (trial: Trial, state: StoreState) => void): void {
    this.#store.change(state => {
      change(this.#onTrial(state.trial?.phase === 'rollback' ? undefined : state.trial), state);
    });
  }

  #onTrial(trial: Trial | undefined): Trial {
    if (trial !== undefined) return trial;
    throw new KitError(
      'E_NO_TRIAL',
      `no policy is on trial in ${this.folder}`,
      'see how the last one ended: kit deploy history',
    );
  }
}
