/** A release store on a folder, as small as a trial needs it: nothing in it survives a loss of power. A file `full` names the calls that find no space. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import type { HistoryEntry } from '../../src/releases/history.js';
import type { PolicyRecord } from '../../src/releases/policy-record.js';
import type { StoreState, Trial } from '../../src/releases/store-state.js';
import { currentRelease, readStoreState } from '../../src/trial/first-policy.js';
import type { TrialStore, TrialStores } from '../../src/trial/trial-store.js';

export class FolderStore implements TrialStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  state(): StoreState {
    return readStoreState(this.folder);
  }

  enter(phase: 'limited' | 'full'): void {
    this.#spend('enter');
    this.#change({ phase });
    this.link('current', this.#trial().digest);
  }

  started(): void {
    this.#spend('started');
    this.#change({ running: true });
  }

  paused(): void {
    this.#spend('paused');
    this.#change({ running: false });
  }

  commit(record: PolicyRecord): void {
    this.#spend('commit');
    const { id, digest, replaces } = this.#trial();
    if (replaces !== undefined) this.link('previous', replaces);
    this.keepRecord(digest, record);
    this.#end({});
    this.note({ at: now(), id, digest, event: 'committed', words: 'it stays', seconds: 0 });
  }

  rollback(reason: string): void {
    this.#spend('rollback');
    const { id, digest, replaces } = this.#trial();
    if (replaces === undefined) rmSync(join(this.folder, 'current'), { force: true });
    else this.link('current', replaces);
    this.#end({ [digest]: reason });
    this.note({ at: now(), id, digest, event: 'rolled-back', words: reason, seconds: 0 });
  }

  record(digest: string): PolicyRecord | undefined {
    const path = this.#recordPath(digest);
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as PolicyRecord) : undefined;
  }

  keepRecord(digest: string, record: PolicyRecord): void {
    this.#spend('keepRecord');
    mkdirSync(join(this.folder, 'records'), { recursive: true });
    writeFileSync(this.#recordPath(digest), JSON.stringify(record));
  }

  note(entry: HistoryEntry): void {
    this.#spend('note');
    appendFileSync(join(this.folder, 'history.jsonl'), `${JSON.stringify(entry)}\n`);
  }

  link(name: 'current' | 'previous', digest: string): void {
    const draft = join(this.folder, `.${name}`);
    rmSync(draft, { force: true });
    symlinkSync(join('releases', digest), draft);
    renameSync(draft, join(this.folder, name));
  }

  write(state: StoreState): void {
    const draft = join(this.folder, '.state');
    writeFileSync(draft, JSON.stringify(state));
    renameSync(draft, join(this.folder, 'state.json'));
  }

  #recordPath(digest: string): string {
    return join(this.folder, 'records', `${digest}.json`);
  }

  #trial(): Trial {
    return this.state().trial!;
  }

  #change(change: Partial<Trial>): void {
    this.write({ ...this.state(), trial: { ...this.#trial(), ...change } });
  }

  #end(bad: StoreState['bad']): void {
    const { trial: _, ...state } = this.state();
    this.write({ ...state, bad: { ...state.bad, ...bad } });
  }

  #spend(call: string): void {
    const path = join(this.folder, 'full');
    if (existsSync(path) && readFileSync(path, 'utf8').split(' ').includes(call))
      throw Object.assign(new Error(`ENOSPC: no space left on device, ${call}`), { code: 'ENOSPC' });
  }
}

const now = () => new Date().toISOString();

/** Copies a bundle into the store. @returns its digest */
export function admit(folder: string, bundle: string): string {
  const { digest } = loadBundle(bundle);
  mkdirSync(join(folder, 'releases'), { recursive: true });
  cpSync(bundle, join(folder, 'releases', digest), { recursive: true });
  return digest;
}

/** As a deployer does it. */
export function propose(folder: string, bundle: string, change: Partial<Trial> = {}): Trial {
  const digest = admit(folder, bundle);
  const replaces = currentRelease(folder);
  const trial: Trial = {
    id: `trial of ${digest.slice(0, 8)}`,
    digest,
    ...(replaces !== undefined && { replaces }),
    phase: 'shadow',
    running: false,
    skip: {},
    ...change,
  };
  const store = new FolderStore(folder);
  store.write({ ...store.state(), trial });
  return trial;
}

/** Of the store at `folder`, from the first to the last. */
export function historyOf(folder: string): HistoryEntry[] {
  const path = join(folder, 'history.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as HistoryEntry);
}

/** `running.json` names the policy that drives. */
export const folderStores: TrialStores = {
  openStore: folder => new FolderStore(folder),
  announceRunning(store, digest) {
    const path = join((store as FolderStore).folder, 'running.json');
    if (existsSync(`${path}.other`)) throw new Error('another process drives with this store');
    writeFileSync(path, JSON.stringify({ digest }));
    return () => rmSync(path);
  },
};
