/**
 * Takes one policy through its trial, in the watching thread: is shown each tick, judges, writes down what was decided, and only then lets it
 * come true. The store knows of a policy before it drives. The way back is the other way round: first the old policy drives again,
 * then the store is told.
 *
 * Where the store can't be written nothing goes forward: the arm goes on as it does, that is said, and tried again every second until the
 * run is over.
 */
import { messageOf } from '@sim2servo/models/error';
import type { PolicyRecord } from '../releases/policy-record.js';
import type { Trial } from '../releases/store-state.js';
import type { DriveRow } from './drive-ring.js';
import { type DriveStep, DriveTally } from './drive-tally.js';
import { judge } from './judge.js';
import { driveFigures, type PhaseFigures, shadowFigures } from './phase-figures.js';
import type { Shadow } from './shadow.js';
import type { TrialNews } from './trial-news.js';
import {
  drives,
  isTried,
  leftOut,
  phaseShare,
  reduceTrial,
  type TrialEvent,
  type TrialState,
  type TriedPhase,
} from './trial-phases.js';
import type { TrialStore } from './trial-store.js';

/** The loop's process, as the trial sees it. */
export interface TrialHost {
  /** The new policy takes over between two ticks, at this share of velocity and acceleration. */
  drive(share: number): void;
  goAt(share: number): void;
  /** The old one takes over again; where there is none, the arm is stopped, and holds. */
  back(reason: string): void;
  /** It stays. */
  settle(): void;
  say(news: TrialNews): void;
}

export interface TrialRunnerOptions {
  readonly store: TrialStore;
  readonly trial: Trial;
  readonly host: TrialHost;
  /** By which the new policy's rows are known. */
  readonly serial: number;
  readonly joints: readonly string[];
  readonly controlRateHz: number;
  /** An old policy can take over from it between two ticks; otherwise the arm is stopped where it fails. */
  readonly reachable: boolean;
  /** Needed for the phase shadow. */
  readonly shadow?: Shadow;
  /** What it is judged against, as far as it is known now. */
  readonly reference: () => PolicyRecord | undefined;
  readonly nowMs?: () => number;
}

const retryMs = 1_000;

export class TrialRunner {
  readonly #o: TrialRunnerOptions;
  readonly #nowMs: () => number;
  #state: TrialState;
  /** The rollback that was decided, and the store can't be told. */
  #owed: TrialState | undefined;
  #tally = new DriveTally();
  /** Of the step that comes next: what the store has been told already. */
  #told = { noted: false, entered: false };
  #back = false;
  /** The run is over. */
  #ended = false;
  #unsaved: unknown;
  #saidUnsaved = false;
  #retryAt = 0;

  constructor(options: TrialRunnerOptions) {
    this.#o = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#state = { step: 'proposed', skip: options.trial.skip, reason: '' };
  }

  get trial(): Trial {
    return this.#o.trial;
  }

  get step(): TrialState['step'] {
    return this.#state.step;
  }

  /** Whether it looks at ticks, or has something to tell the store. */
  get active(): boolean {
    return this.step === 'proposed' || isTried(this.step) || this.#owed !== undefined;
  }

  /** Why the store could not be told; undefined where it could. */
  get unsaved(): unknown {
    return this.#unsaved;
  }

  /** A tick went by. */
  async tick(row: DriveRow, step: DriveStep): Promise<void> {
    if (this.step === 'shadow') await this.#o.shadow?.see(row.observation, row.action);
    else if (drives(this.step) && row.serial === this.#o.serial) this.#tally.add(step);
  }

  /** Judges what it has seen, and goes on where it is time. */
  look(): void {
    if (this.#owed !== undefined) {
      if (this.#nowMs() >= this.#retryAt) this.#enter(this.#owed);
      return;
    }
    const { step } = this;
    if (!isTried(step)) return;
    const record = this.#record();
    const reasons = judge(record, this.#o.reference(), step, this.#o.controlRateHz);
    // What the store could not be told is told again after a while; a rollback does not wait for that.
    if (reasons.length === 0 && this.#nowMs() < this.#retryAt) return;
    this.tell({ kind: 'tried', seconds: record.ticks / this.#o.controlRateHz, reasons });
  }

  tell(event: TrialEvent): void {
    const state = reduceTrial(this.#state, event);
    if (state.step === this.step) return;
    try {
      this.heed();
    } catch (error) {
      this.#cannotSave(state, error);
      return;
    }
    if (this.active) this.#enter(state);
  }

  /** The run is over: the last that the store is told. */
  finish(event: TrialEvent & { readonly kind: 'stopped' | 'ended' }): void {
    this.#saidUnsaved = false;
    this.#ended = true;
    if (this.#owed !== undefined) this.#enter(this.#owed);
    else this.tell(event);
  }

  /** What somebody else has done to it in the store comes first. @throws where the store can't be read */
  heed(): void {
    if (!this.active) return;
    const { trial } = this.#o.store.state();
    if (trial?.id !== this.trial.id) {
      const reason = 'somebody has ended its trial';
      this.#takeBack(reason);
      this.#done({ ...this.#state, step: 'rollback', reason });
    } else if (trial.phase === 'rollback' && this.#owed === undefined)
      this.#enter(reduceTrial(this.#state, { kind: 'refused', reason: trial.reason ?? 'somebody wants it gone' }));
  }

  #record(): PolicyRecord {
    const { shadow } = this.#o;
    return this.step === 'shadow' && shadow !== undefined ? shadow.record() : this.#tally.record();
  }

  #enter(state: TrialState): void {
    const { host } = this.#o;
    const { step } = state;
    const drove = drives(this.step);
    if (step === 'rollback') this.#takeBack(state.reason);
    try {
      this.#save(state);
    } catch (error) {
      this.#cannotSave(state, error);
      return;
    }
    if (drives(step)) {
      if (drove) host.goAt(phaseShare[step]);
      else host.drive(phaseShare[step]);
    } else if (step === 'commit') host.settle();
    this.#done(state);
  }

  /** The arm comes before the store. */
  #takeBack(reason: string): void {
    if (!drives(this.step) || this.#back) return;
    this.#back = true;
    this.#o.host.back(reason);
  }

  #cannotSave(state: TrialState, error: unknown): void {
    if (state.step === 'rollback') {
      this.#takeBack(state.reason);
      this.#owed = state;
    }
    this.#unsaved = error;
    this.#retryAt = this.#nowMs() + retryMs;
    if (!this.#saidUnsaved)
      this.#say('unsaved', `the store can't be written: ${messageOf(error)}; ${this.#meanwhile()}`);
    this.#saidUnsaved = true;
  }

  #done(state: TrialState): void {
    this.#sayDone(this.step, state);
    this.#state = state;
    this.#owed = undefined;
    this.#told = { noted: false, entered: false };
    this.#tally = new DriveTally();
    this.#unsaved = undefined;
    this.#saidUnsaved = false;
    this.#retryAt = 0;
  }

  #save({ step, reason }: TrialState): void {
    const { store } = this.#o;
    const drove = drives(this.step);
    try {
      this.#note(step);
    } catch (error) {
      // A bad policy goes, whether there is room for its figures or not.
      if (step !== 'rollback') throw error;
      if (!this.#saidUnsaved)
        this.#say('unsaved', `the history lacks the figures of its last phase: ${messageOf(error)}`);
    }
    if (drives(step)) {
      // One that an earlier run has brought so far is there already.
      if (!this.#told.entered && !(this.step === 'proposed' && this.trial.phase === step)) store.enter(step);
      this.#told.entered = true;
      if (!drove) store.started();
    } else if (step === 'commit') store.commit(this.#record());
    else if (step === 'rollback') store.rollback(reason);
    else if (step === 'waiting') this.#saveWait(reason);
    else if (step === 'paused' && drove) store.paused();
  }

  /** It waits, whether there is room to say why or not. */
  #saveWait(reason: string): void {
    try {
      this.#o.store.wait(reason);
    } catch (error) {
      this.#say('unsaved', `the store lacks why it waits: ${messageOf(error)}`);
    }
  }

  /** The phase that is over goes into the history, once, whether it went well or not; so does one that is left out. */
  #note(next: TrialState['step']): void {
    if (this.#told.noted) return;
    const { store, trial } = this.#o;
    const { id, digest, skip } = trial;
    const entry = (event: TriedPhase) => ({ at: new Date().toISOString(), id, digest, event });
    const { step } = this;
    const seen = next === 'waiting' || next === 'paused' ? undefined : this.#figures();
    if (isTried(step) && seen !== undefined) store.note({ ...entry(step), ...seen, seconds: this.#seconds() });
    const from = step === 'proposed' && trial.phase !== 'shadow' ? next : step;
    for (const phase of leftOut(from, next)) {
      const why = phase === 'full' ? undefined : skip[phase];
      store.note({
        ...entry(phase),
        words: `left out: ${why ?? 'no policy drove that could be exchanged for it'}`,
        seconds: 0,
      });
    }
    this.#told.noted = true;
  }

  /** Of the phase that goes on; undefined where nothing is tried. */
  #figures(): PhaseFigures | undefined {
    const { shadow, joints } = this.#o;
    if (drives(this.step)) return driveFigures(this.#tally.record());
    if (this.step !== 'shadow' || shadow === undefined) return undefined;
    return shadowFigures(shadow.record(), shadow.disagreement(), joints);
  }

  /** Of the phase that goes on: time with fresh samples. */
  #seconds(): number {
    return this.#record().ticks / this.#o.controlRateHz;
  }

  #sayDone(before: TrialState['step'], { step, reason }: TrialState): void {
    const seen = step === 'waiting' || step === 'paused' ? undefined : this.#figures();
    if (isTried(before) && seen !== undefined)
      this.#o.host.say({ digest: this.trial.digest, event: before, seconds: this.#seconds(), ...seen });
    if (step === 'commit') this.#say('committed', 'it stays');
    else if (step === 'rollback') this.#say('rolled-back', `${reason}; ${this.#robotNow()}`);
    else if (step === 'waiting') this.#say('waiting', reason);
    else if (step === 'paused') this.#say('paused', `the next run goes on with its trial, in the phase ${before}`);
  }

  /** In what state a rollback leaves the robot. */
  #robotNow(): string {
    const { reachable, trial } = this.#o;
    if (!drives(this.step)) return 'it has not driven';
    if (reachable && !this.#ended) return 'the old policy drives again';
    return `the arm holds, and ${trial.replaces === undefined ? 'the store names no policy any more' : 'the next run begins with the old one'}`;
  }

  #meanwhile(): string {
    const where = this.#back
      ? this.#robotNow()
      : drives(this.step)
        ? `it goes on in the phase ${this.step}`
        : 'the old policy goes on';
    return this.#ended
      ? `${where}; free some space before the next run`
      : `${where}; tried again every second: free some space`;
  }

  #say(event: TrialNews['event'], words: string): void {
    this.#o.host.say({ digest: this.trial.digest, event, words, seconds: 0 });
  }
}
