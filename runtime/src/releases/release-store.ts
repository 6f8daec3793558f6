/**
 * Policies on a robot: `releases/<digest>/`, and two links, `current` and `previous`. A reader sees the old policy or the new one,
 * never neither and never half of one. What is under way stands in `state.json` before anything is done about it, so that whoever opens the
 * store after a loss of power can finish it (docs/deploy.md has the table).
 */

import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Bundle, BundleExpectation } from '@sim2servo/models/bundle/load-bundle';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { admitRelease, removeRelease } from './admit-release.js';
import { type Disk, realDisk } from './disk.js';
import { appendHistory, type HistoryEntry } from './history.js';
import { goBack } from './operator-rollback.js';
import type { PolicyRecord } from './policy-record.js';
import { type Proposal, proposeTrial } from './proposal.js';
import { pruneIncoming } from './prune-incoming.js';
import { announceRunning, runningNow } from './running.js';
import type { SelfTest } from './self-test.js';
import { StoreFolder } from './store-folder.js';
import { type Named, refuseBad, type StoreState, type Trial } from './store-state.js';
import {
  backToShadow,
  commitTrial,
  drivesByPhase,
  finishTrial,
  giveUpTrial,
  isUnfinished,
  rollBackTrial,
} from './trial-ends.js';

export interface Admitted extends SelfTest {
  readonly digest: string;
  /** The folder of the release. */
  readonly release: string;
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
 * left to it: open first, then `drive`.
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
   * @param retryBad as of a {@link Proposal}
   * @throws KitError E_BUNDLE_BAD, E_BUNDLE_DOWNGRADE, E_DEPLOY_TARGET, and what `admitRelease` throws; the store is as it was then
   */
  async admit(
    bundle: Bundle,
    expected: BundleExpectation,
    { sequence, retryBad }: { readonly sequence?: number | undefined } & Pick<Proposal, 'retryBad'> = {},
  ): Promise<Admitted> {
    const { digest } = bundle;
    const before = this.state();
    refuseBad(before, digest, retryBad);
    if (sequence !== undefined && sequence < before.sequence && digest !== this.current())
      throw new KitError(
        'E_BUNDLE_DOWNGRADE',
        `policy ${shortDigest(digest)} has sequence ${sequence}; this robot has let in ${before.sequence} already`,
        `sign it again, to be newer than that: kit keys sign BUNDLE --key NAME --after ${before.sequence}; or go back by kit deploy rollback`,
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
  propose(digest: string, proposal: Proposal): boolean {
    return this.#store.change(() => {
      resolvePolicy(this.releaseFolder(digest));
      return proposeTrial(this.#store, digest, proposal);
    });
  }

  /**
   * This process drives from now on. What is chosen is chosen while nobody else can change what the store names: whoever proposes has done so
   * before, or finds that a loop drives.
   *
   * @param choose the digest of what drives first
   * @returns takes it back
   * @throws  KitError E_STORE_RUNNING where another process does; what `choose` throws
   */
  drive(choose: (named: Named) => string): () => void {
    return announceRunning(this, () => {
      finishTrial(this.#store);
      return choose(this.#named());
    });
  }

  /**
   * What is to drive and what is to be tried, for a loop that drives, and tries nothing. A policy that is current already, and on trial, because a
   * kit before this one proposed it without seeing that loop, is none that drives: its trial begins in the shadow like any other.
   */
  untried(): Named {
    return this.#store.change(() => {
      finishTrial(this.#store);
      const { trial } = this.state();
      if (trial !== undefined && drivesByPhase(trial)) backToShadow(this.#store, trial);
      return this.#named();
    });
  }

  /** From now on the policy on trial drives. @throws KitError E_NO_TRIAL */
  enter(phase: 'limited' | 'full'): void {
    this.#tried(({ waits, ...trial }, state) => {
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

  /** The loop that drives can't try it, and why: another may be proposed instead. @throws KitError E_NO_TRIAL */
  wait(waits: string): void {
    this.#tried((trial, state) => this.#store.settle({ ...state, trial: { ...trial, waits } }));
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

  /** The policy on trial can't be tried, which says nothing about it: what it was to replace drives, and it may come again. @throws KitError E_NO_TRIAL */
  giveUp(reason: string): void {
    this.#store.change(({ trial }) => giveUpTrial(this.#store, this.#onTrial(trial), reason));
  }

  /**
   * An operator wants the one before, whatever its sequence: the one on trial goes, or `previous` and `current` change places. Nothing is
   * marked bad.
   *
   * @param expected of this robot: it must take that one
   * @returns digest of what is current from now on
   * @throws  KitError E_ROLLBACK_NONE; E_BUNDLE_*, E_SIGNATURE_* where the one before is damaged, or not to be taken any more; E_FOLLOW_DIFFERS,
   *          E_POLICY_NETWORK where it can't take over from the one that drives
   */
  operatorRollback(reason: string, by: string, expected: BundleExpectation = {}): string {
    return this.#store.change(() => goBack(this.#store, reason, by, expected));
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
   * Removes what nobody needs any more: every release, with its record, but the current, the previous, those of a trial and what drives; and
   * received files (prune-incoming.ts).
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
      pruneIncoming(disk, at('incoming'), newestMs);
      return old;
    });
  }

  #named(): Named {
    return { current: this.current(), trial: this.state().trial };
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
