/** The folder of a release store: what lies where, read from it and changed one durable step at a time. What a deployment does with it is release-store.ts's. */
import { accessSync, constants, existsSync, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';
import { readJsonFile } from '@sim2servo/models/json-file';
import { type Disk, unwritable } from './disk.js';
import { appendHistory, type HistoryEntry, historyFile, readHistory } from './history.js';
import { type PolicyRecord, policyRecordSchema } from './policy-record.js';
import { draftPrefix, makeFolder, makeFolders, replaceFile, replaceLink } from './store-files.js';
import { StoreLock } from './store-lock.js';
import { emptyState, type StoreState, storeStateSchema } from './store-state.js';

const folders = ['releases', 'records', 'incoming'] as const;
const links = ['current', 'previous'] as const;
export type Link = (typeof links)[number];

/** A line of the history, without the hour. */
export type Told = Omit<HistoryEntry, 'at' | 'seconds'> & Partial<Pick<HistoryEntry, 'seconds'>>;

/** Lines at the end of the history in which a deployment that is under way is looked for. */
const recent = 200;
const longestWords = 2000;

export class StoreFolder {
  readonly folder: string;
  readonly disk: Disk;

  constructor(folder: string, disk: Disk) {
    this.folder = folder;
    this.disk = disk;
  }

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Whether it is a store's, and can be written to; makes what is missing of it. @throws KitError E_DEPLOY_TARGET */
  make(): void {
    this.#guarded(() => {
      if (existsSync(this.folder) && !statSync(this.folder).isDirectory())
        throw this.#unfit(`${this.folder} is no folder`);
      if (existsSync(this.at('policy.json'))) throw this.#unfit(`${this.folder} is itself a policy bundle`);
      for (const link of links)
        if (lstatSync(this.at(link), { throwIfNoEntry: false })?.isSymbolicLink() === false)
          throw this.#unfit(`${this.at(link)} is not a link of a release store`);
      makeFolders(this.disk, this.folder);
      accessSync(this.folder, constants.W_OK);
    });
    if ([...folders, historyFile].every(name => existsSync(this.at(name)))) return;
    this.change(() => {
      for (const name of folders) if (!existsSync(this.at(name))) makeFolder(this.disk, this.at(name));
      if (!existsSync(this.at(historyFile))) this.disk.write(this.at(historyFile), new Uint8Array());
      this.disk.sync(this.folder);
    });
  }

  /** What earlier changes left half done. Those of a deployer at work are none, and change their names each time. */
  drafts(): string[] {
    const found = ['', 'records', 'releases'].flatMap(folder =>
      readdirSync(this.at(folder))
        .filter(name => (folder === 'releases' ? name.startsWith('.') : name.startsWith(draftPrefix)))
        .map(name => this.at(folder, name)),
    );
    return StoreLock.isTaken(this.folder) ? [] : found;
  }

  /** @throws KitError E_STORE_GONE, and what `readJsonFile` throws */
  state(): StoreState {
    const path = this.at('state.json');
    if (existsSync(path)) return readJsonFile(path, storeStateSchema, 'the state of a release store');
    this.#mustExist();
    return emptyState;
  }

  /** @returns once it is durable */
  write(state: StoreState): void {
    this.#write(state, false);
  }

  /** Writes what the next opening would come to by itself: nothing is lost where it does not get to the disk. */
  settle(state: StoreState): void {
    this.#write(state, true);
  }

  #write(state: StoreState, unsynced: boolean): void {
    const text = `${JSON.stringify(storeStateSchema.parse(state), null, 2)}\n`;
    replaceFile(this.disk, this.folder, 'state.json', text, unsynced);
  }

  /** Digest of the release that a link names. @throws KitError E_STORE_GONE */
  linked(link: Link): string | undefined {
    try {
      return basename(readlinkSync(this.at(link)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#mustExist();
      return undefined;
    }
  }

  /** Undefined: no link. */
  link(link: Link, digest: string | undefined): void {
    if (this.linked(link) === digest) return;
    if (digest !== undefined) {
      replaceLink(this.disk, join('releases', digest), this.at(link));
      return;
    }
    this.disk.remove(this.at(link));
    this.disk.sync(this.folder);
  }

  record(digest: string): PolicyRecord | undefined {
    const path = this.at('records', `${digest}.json`);
    return existsSync(path) ? readJsonFile(path, policyRecordSchema, 'the record of a policy') : undefined;
  }

  keepRecord(digest: string, record: PolicyRecord): void {
    const text = `${JSON.stringify(policyRecordSchema.parse(record), null, 2)}\n`;
    replaceFile(this.disk, this.at('records'), `${digest}.json`, text);
  }

  history(last: number): HistoryEntry[] {
    return readHistory(this.folder, last);
  }

  /** Whether that has happened to a deployment of late. */
  has(id: string, event: HistoryEntry['event']): boolean {
    return this.history(recent).some(entry => entry.id === id && entry.event === event);
  }

  note(...told: readonly Told[]): void {
    const at = new Date().toISOString();
    const worded = told.map(each => ({ ...each, words: each.words.slice(0, longestWords) || 'no reason given' }));
    appendHistory(this.disk, this.folder, ...worded.map(each => ({ at, seconds: 0, ...each })));
  }

  /** Alone with the state. @throws KitError E_DEPLOY_TARGET where the disk does not take it */
  change<Result>(change: (state: StoreState) => Result): Result {
    return this.#guarded(() => StoreLock.whileChanging(this, () => change(this.state())));
  }

  /** What the operating system says, with what it was about; everything else as it is. */
  named(error: unknown): unknown {
    if (error instanceof KitError || (error as NodeJS.ErrnoException).syscall === undefined) return error;
    return unwritable(`can't deploy into ${this.folder}: ${messageOf(error)}`, error);
  }

  /** Of a store that is gone as a whole nobody can say what it said. */
  #mustExist(): void {
    if (!existsSync(this.folder))
      throw new KitError('E_STORE_GONE', `the release store ${this.folder} is gone`, 'put it back, or deploy anew');
  }

  #guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw this.named(error);
    }
  }

  #unfit(message: string): KitError {
    return new KitError('E_DEPLOY_TARGET', message, 'name another folder', 'usage');
  }
}
