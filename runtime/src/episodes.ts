/**
 * Which goal is pursued, for how much longer, and how well: one goal is one episode.
 *
 * Episode 0 is the lead-in: while motion is let in after arming, the policy drives to where the fingertip is at the home posture, so
 * that the first goal starts like every other. It counts for nothing.
 */
import type { ControlState } from '@sim2servo/models/control-state';
import { fingertip } from '@sim2servo/models/kinematics';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Task } from '@sim2servo/models/tasks/task';
import type { GoalSource } from './goal-source.js';

/** A goal counts by the mean error over this last part of its time. */
export const judgedS = 0.5;

export interface TargetResult {
  readonly episode: number;
  /** Where it was when it was begun. */
  readonly goalM: readonly [number, number, number];
  /** Mean distance of the measured fingertip from the goal over the last {@link judgedS}; NaN where no sample came in it. */
  readonly errorM: number;
  readonly reached: boolean;
}

export class Episodes {
  readonly results: TargetResult[] = [];
  readonly #spec: RobotSpec;
  readonly #task: Task;
  readonly #goals: GoalSource;
  readonly #judgedTicks: number;
  readonly #controlRateHz: number;
  #left = Number.POSITIVE_INFINITY;
  #episode = 0;
  #step = 0;
  #leadIn = true;
  /** [3] where the goal was when it was begun, m. */
  readonly #start = new Float64Array(3);
  /** [joints] where the arm was then, rad. */
  readonly #from: Float64Array;
  #pursued = 0;
  #void = false;
  /** sum of errors, samples, last error, last error had the arm stood still: in an array, so that nothing is allocated. */
  readonly #errors = Float64Array.of(0, 0, Number.NaN, Number.NaN);

  constructor(spec: RobotSpec, task: Task, goals: GoalSource, controlRateHz: number) {
    this.#spec = spec;
    this.#task = task;
    this.#goals = goals;
    this.#controlRateHz = controlRateHz;
    this.#from = new Float64Array(spec.joints.length);
    this.#judgedTicks = Math.max(1, Math.round(judgedS * controlRateHz));
  }

  get episode(): number {
    return this.#episode;
  }

  get step(): number {
    return this.#step;
  }

  /** Whether the present tick is the last of an episode that counts. */
  get last(): boolean {
    return this.#left <= 1 && !this.#void;
  }

  /** Whether the goal's time is over and the next one is due. */
  get over(): boolean {
    return this.#leadIn || this.#left <= 0;
  }

  /** Task error at the last sample, m. */
  get errorM(): number {
    return this.#errors[2]!;
  }

  /** What {@link errorM} would be had the arm stood still since the goal was begun: what a policy has to be better than. */
  get stillM(): number {
    return this.#errors[3]!;
  }

  leadIn(state: ControlState): void {
    fingertip(
      this.#spec,
      this.#spec.joints.map(joint => joint.home),
      state.goal,
    );
    this.#from.set(state.position);
  }

  /** Starts the next goal: writes it into `state`. False where there is none. */
  begin(state: ControlState): boolean {
    this.#left = this.#goals.next(state.goal);
    if (this.#left <= 0) return false;
    this.#leadIn = false;
    this.#start.set(state.goal);
    this.#from.set(state.position);
    this.#pursued = 0;
    this.#void = false;
    this.#next();
    return true;
  }

  /** The episode ends here although the goal goes on: the log has a hole. */
  cut(): void {
    this.#next();
  }

  #next(): void {
    this.#episode++;
    this.#step = 0;
  }

  /** Judges a fresh sample. */
  judge(state: ControlState): void {
    const error = this.#task.errorM(this.#spec, state.position, state.goal);
    this.#errors[2] = error;
    this.#errors[3] = this.#task.errorM(this.#spec, this.#from, state.goal);
    if (!this.#leadIn) this.#endEarly();
    if (this.#left > this.#judgedTicks) return;
    this.#errors[0]! += error;
    this.#errors[1]! += 1;
  }

  #endEarly(): void {
    const ends = this.#goals.ends?.();
    if (ends === undefined) return;
    this.#left = 1;
    this.#void = ends === 'void';
  }

  /** `periods` control periods went by: one tick, and those that were skipped. */
  advance(state: ControlState, periods: number): void {
    this.#step += periods;
    if (this.#leadIn || this.#left <= 0) return;
    this.#left -= periods;
    this.#pursued += periods;
    this.#task.goalAt?.(this.#start, this.#pursued / this.#controlRateHz, state.goal);
    if (this.#left > 0) return;
    if (!this.#void) this.#result();
    this.#errors[0] = 0;
    this.#errors[1] = 0;
  }

  #result(): void {
    const errorM = this.#errors[0]! / this.#errors[1]!;
    const [x, y, z] = this.#start as unknown as [number, number, number];
    this.results.push({ episode: this.#episode, goalM: [x, y, z], errorM, reached: errorM < this.#task.reachedM });
  }
}
