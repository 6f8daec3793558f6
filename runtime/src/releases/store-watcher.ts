/**
 * Follows a release store while a loop runs: what becomes current there is made ready to take over, what is on trial there is tried. It keeps
 * count of what each policy did, for its successors to be judged by.
 */

import { join } from 'node:path';
import { type Bundle, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { weightsApart } from '@sim2servo/models/bundle/weights-apart';
import { messageOf } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import { openPolicySession } from '../policy-session.js';
import { DriveRing } from '../trial/drive-ring.js';
import { DriveSteps, DriveTally } from '../trial/drive-tally.js';
import { type FirstPolicy, firstPolicy } from '../trial/first-policy.js';
import { Shadow } from '../trial/shadow.js';
import type { TriedPhase } from '../trial/trial-phases.js';
import { type TrialHost, TrialRunner } from '../trial/trial-runner.js';
import type { Disk } from './disk.js';
import { whyNotExchangeable } from './exchangeable.js';
import type { NextPolicy } from './following-policy.js';
import { mergeRecords, type PolicyRecord } from './policy-record.js';
import type { OpenedRelease, ReleaseMessage, ReleaseWatchData } from './release-messages.js';
import { openStore, type ReleaseStore } from './release-store.js';
import { announceRunning, stillRunning } from './running.js';
import type { Named, Trial } from './store-state.js';

type Post = (message: ReleaseMessage, moved?: ArrayBuffer[]) => void;

export class StoreWatcher {
  readonly #data: ReleaseWatchData;
  readonly #store: ReleaseStore;
  readonly #post: Post;
  readonly #ring: DriveRing;
  readonly #steps = new DriveSteps();
  /** By serial: every policy that has driven in this run, or is about to. */
  readonly #driven: { readonly digest: string; readonly tally: DriveTally; kept: boolean }[] = [];
  /** What may be exchanged for it. */
  #running!: Bundle;
  #runningSerial = 0;
  /** The release that `current` named when it was last looked at. */
  #known: string | undefined;
  #runner: TrialRunner | undefined;
  #shadow: Shadow | undefined;
  /** Of the last trial that was taken up, or waits. */
  #trialId = '';
  /** Serials: of the policy that drives, of the one that is on trial. */
  #driving = -1;
  #triedSerial = -1;
  #withdraw = () => {};
  /** That what the store names can't be taken up. */
  #saidBlocked = false;

  /** @throws KitError where the store can't be opened */
  constructor(data: ReleaseWatchData, disk: Disk, post: Post) {
    this.#data = data;
    this.#store = openStore(data.store, disk);
    this.#post = post;
    this.#ring = new DriveRing(data.memory);
  }

  get trying(): boolean {
    return this.#runner !== undefined;
  }

  /** Nobody takes anything out of the ring any more. */
  fail(): void {
    this.#ring.fail();
  }

  nap(milliseconds: number): void {
    this.#ring.sleep(milliseconds);
  }

  /**
   * Which policy drives first. One that is on trial, and can't be read, is given up before anything moves: it was good when it was let in, so
   * that is the disk's doing, or a key's.
   */
  open(): OpenedRelease {
    const { trial } = this.#store.state();
    if (trial !== undefined && trial.phase !== 'rollback')
      try {
        this.#load(trial.digest);
      } catch (error) {
        this.#giveUp(trial, error);
      }
    let first!: FirstPolicy;
    // Before anything moves: whoever drives with this store already is not to be disturbed.
    this.#withdraw = this.#store.drive(named => {
      first = firstPolicy(this.#data.store, named, this.#load);
      this.#running = this.#load(first.digest);
      return first.digest;
    });
    const { digest } = first;
    this.#known = digest;
    const serial = this.#enlist(digest);
    this.#driving = serial;
    if (first.trial === undefined) return { digest, serial, share: 1, onTrial: false };
    const old = first.fallback === undefined ? undefined : this.#load(first.fallback);
    const fallback = old && this.#next(old, this.#enlist(old.digest), 1);
    let share = 0;
    const runner = this.#try(first.trial, serial, old !== undefined, {
      drive: at => {
        share = at;
      },
    });
    runner.tell({ kind: 'begin', phase: first.trial.phase as TriedPhase, shadowed: false });
    if (runner.unsaved !== undefined) {
      this.#withdraw();
      throw runner.unsaved;
    }
    return { digest, serial, share, onTrial: true, ...(fallback && { fallback }) };
  }

  /** Takes in what the loop did since; what it does meanwhile comes the next time. */
  async drain(): Promise<void> {
    for (let { waiting } = this.#ring; waiting > 0; waiting--) {
      const row = this.#ring.shift()!;
      const step = this.#steps.step(row);
      const runner = this.#runner;
      if (row.serial !== this.#driving) this.#announce(row.serial);
      await runner?.tick(row, step);
      if (row.serial !== this.#triedSerial) this.#driven[row.serial]!.tally.add(step);
    }
    this.#runner?.look();
    await this.#settle();
  }

  /** Says to other containers that this loop goes on. */
  beat(): void {
    stillRunning(this.#store);
  }

  /** Looks at the store. @throws where it is gone */
  async look(): Promise<void> {
    this.#runner?.heed();
    await this.#settle();
    if (this.#runner !== undefined) return;
    const { trial } = this.#store.state();
    const current = this.#store.current();
    const proposed = trial !== undefined && trial.id !== this.#trialId;
    const changed = current !== undefined && current !== this.#known;
    if (changed || (proposed && trial.phase !== 'shadow')) await this.#takeUp();
    else if (proposed) await this.#begin(trial);
  }

  /** Somebody has made another release current: without a trial, or with one that nobody sees to yet. */
  async #takeUp(): Promise<void> {
    let named: Named | undefined;
    // What is on trial never comes to drive as if it were not: that is read, and put right, while nobody else changes it.
    this.#told(() => {
      named = this.#store.untried();
    }, this.#saidBlocked);
    this.#saidBlocked = named === undefined;
    const { current, trial } = named ?? {};
    if (current !== undefined && current !== this.#known) await this.#follow(current);
    else if (trial !== undefined && trial.id !== this.#trialId) await this.#begin(trial);
  }

  /** The run is over: the store is told, and every policy's record is kept. */
  end(stopped: string | undefined): void {
    this.#runner?.finish(stopped === undefined ? { kind: 'ended' } : { kind: 'stopped', reason: stopped });
    const driving = this.#driven[this.#driving];
    if (stopped !== undefined && driving !== undefined) driving.tally.faults++;
    this.#told(() => {
      this.#withdraw();
      for (const { digest, tally, kept } of this.#driven) {
        const record = tally.record();
        if (kept && record.ticks > 0) this.#store.keepRecord(digest, withEarlier(this.#store.record(digest), record));
      }
    });
  }

  readonly #load = (digest: string): Bundle => {
    const { store, expected } = this.#data;
    return loadBundle(join(store, 'releases', digest), expected);
  };

  #giveUp({ digest }: Trial, error: unknown): void {
    const words = messageOf(error);
    this.#store.giveUp(words);
    this.#post({ kind: 'news', news: { digest, event: 'rolled-back', words, seconds: 0 } });
  }

  #enlist(digest: string): number {
    return this.#driven.push({ digest, tally: new DriveTally(), kept: true }) - 1;
  }

  #next({ digest, manifest, model }: Bundle, serial: number, share: number, fallback?: NextPolicy): NextPolicy {
    const weights = weightsApart(model).weights.map(({ data }) => data);
    return { digest, name: manifest.name, weights, serial, share, ...(fallback && { fallback }) };
  }

  #offer(next: NextPolicy): void {
    const policies = next.fallback === undefined ? [next] : [next, next.fallback];
    const moved = policies.flatMap(({ weights }) => weights.map(({ buffer }) => buffer as ArrayBuffer));
    this.#post({ kind: 'ready', ...next }, moved);
  }

  /** Another release is current, without a trial. */
  async #follow(digest: string): Promise<void> {
    this.#known = digest;
    try {
      const next = this.#load(digest);
      const why = whyNotExchangeable(this.#running, next);
      if (why !== undefined) throw why;
      // How long it takes was tested when it was let in; in this thread, which nobody hurries, that can't be told.
      await (await openPolicySession(next)).dispose();
      this.#running = next;
      this.#runningSerial = this.#enlist(digest);
      this.#offer(this.#next(next, this.#runningSerial, 1));
    } catch (error) {
      this.#post({ kind: 'refused', digest, error: packError(error, 'E_FOLLOW') });
    }
  }

  /** A policy is on trial while another one drives. */
  async #begin(trial: Trial): Promise<void> {
    this.#trialId = trial.id;
    if (trial.phase === 'rollback') return;
    const old = this.#running;
    const oldSerial = this.#runningSerial;
    let next: Bundle;
    let shadow: Shadow;
    try {
      next = this.#load(trial.digest);
      shadow = await Shadow.open(next);
    } catch (error) {
      this.#told(() => this.#giveUp(trial, error));
      return;
    }
    const why = whyNotExchangeable(old, next);
    const serial = this.#enlist(trial.digest);
    const drive = (share: number) => this.#offer(this.#next(next, serial, share, this.#next(old, oldSerial, 1)));
    const runner = this.#try(trial, serial, true, { drive }, shadow);
    if (why !== undefined) runner.tell({ kind: 'hindered', reason: `${why.message}: ${why.hint}` });
    else runner.tell({ kind: 'begin', phase: trial.phase, shadowed: true });
    await this.#settle();
  }

  #try(trial: Trial, serial: number, reachable: boolean, host: Pick<TrialHost, 'drive'>, shadow?: Shadow): TrialRunner {
    const { replaces } = trial;
    const earlier = replaces === undefined ? undefined : this.#store.record(replaces);
    const before = this.#driven.find(({ digest }) => digest === replaces);
    this.#trialId = trial.id;
    this.#triedSerial = serial;
    this.#shadow = shadow;
    this.#runner = new TrialRunner({
      store: this.#store,
      trial,
      serial,
      reachable,
      joints: this.#data.joints,
      controlRateHz: this.#running.manifest.controlRateHz,
      reference: () => (before === undefined ? earlier : withEarlier(earlier, before.tally.record())),
      ...(shadow && { shadow }),
      host: {
        ...host,
        goAt: share => this.#post({ kind: 'goAt', share }),
        back: reason => this.#post({ kind: 'back', reason }),
        settle: () => this.#post({ kind: 'settle' }),
        say: news => this.#post({ kind: 'news', news }),
      },
    });
    return this.#runner;
  }

  /** Where a trial is over, or has to wait, everything is as without one again. */
  async #settle(): Promise<void> {
    const runner = this.#runner;
    if (runner === undefined || runner.active) return;
    const { digest, replaces } = runner.trial;
    if (runner.step === 'commit') {
      this.#running = this.#load(digest);
      this.#runningSerial = this.#triedSerial;
      this.#known = digest;
    } else {
      this.#driven[this.#triedSerial]!.kept = false;
      if (runner.step === 'rollback') this.#known = replaces;
    }
    this.#runner = undefined;
    this.#triedSerial = -1;
    await this.#shadow?.close();
    this.#shadow = undefined;
  }

  #announce(serial: number): void {
    this.#driving = serial;
    this.#told(() => {
      this.#withdraw = announceRunning(this.#store, () => this.#driven[serial]!.digest);
    });
  }

  /** What the arm can do without: where it fails, that is said. */
  #told(tell: () => void, said = false): void {
    try {
      tell();
    } catch (error) {
      if (said) return;
      const words = `the store can't be written: ${messageOf(error)}; the arm goes on`;
      const { digest } = this.#driven[Math.max(0, this.#driving)]!;
      this.#post({ kind: 'news', news: { digest, event: 'unsaved', words, seconds: 0 } });
    }
  }
}

function withEarlier(earlier: PolicyRecord | undefined, record: PolicyRecord): PolicyRecord {
  return earlier === undefined ? record : mergeRecords(earlier, record);
}
