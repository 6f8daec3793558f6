/**
 * Repeats what a log says was executed, through the shield: each episode is begun from its recorded start, to which the arm comes slowly, and
 * played tick by tick at its rate or slower. What was measured meanwhile is compared with what was measured then.
 *
 * It is the loop's goals too: the way to a start is `void`, the repeated episode counts and has the recorded goal.
 */
import type { ControlState } from '@sim2servo/models/control-state';
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { GoalSource } from '../goal-source.js';
import { approach, approachRadS } from './approach.js';
import type { RecordedEpisode, RecordedMotion, RecordedStep } from './recorded-motion.js';
import type { TargetSource } from './target-policy.js';

/** So long the arm rests at the start. */
const settleS = 0.5;
/** So close to the start's targets the arm has been told all the way. */
const arrivedRad = 1e-3;
/** An arm whose joint is this far from where the recording began does not stand at its start: something holds it up. */
const startErrorRad = 0.2;

export interface JointDeviation {
  readonly joint: string;
  /** Measured less recorded position over all ticks that were played, rad. */
  readonly rmsRad: number;
  readonly maxRad: number;
}

export class LogReplay implements TargetSource, GoalSource {
  readonly #spec: RobotSpec;
  readonly #episodes: readonly RecordedEpisode[];
  readonly #speed: number;
  readonly #rateHz: number;
  #index = 0;
  /** Playing, or on the way to the start. */
  #playing = false;
  #begun = false;
  /** The recorded step that is played next; between two records it is a fraction. */
  #at = 0;
  #record = 0;
  #left = Number.POSITIVE_INFINITY;
  #rested = 0;
  /** Of the present way or episode. */
  #ticks = 0;
  #played = 0;
  readonly #sum: Float64Array;
  readonly #max: Float64Array;

  /** @param speed 0 … 1: share of the recorded rate */
  constructor(spec: RobotSpec, motion: RecordedMotion, speed: number) {
    if (!(speed > 0 && speed <= 1))
      throw new KitError(
        'E_REPLAY_SPEED',
        `a replay at ${speed} times its rate is not to be had`,
        'give --speed a number above 0, at most 1',
        'usage',
      );
    this.#spec = spec;
    this.#episodes = motion.episodes;
    this.#speed = speed;
    this.#rateHz = motion.controlRateHz;
    this.#sum = new Float64Array(spec.joints.length);
    this.#max = new Float64Array(spec.joints.length);
  }

  /** Time that the episodes take without the ways to their starts, s. */
  get seconds(): number {
    const ticks = this.#episodes.reduce((sum, { steps }) => sum + steps.at(-1)!.step - steps[0]!.step + 1, 0);
    return ticks / this.#speed / this.#rateHz;
  }

  get #steps(): readonly RecordedStep[] {
    return this.#episodes[this.#index]!.steps;
  }

  next(goal: Float64Array): number {
    if (this.#playing) {
      this.#index++;
      this.#playing = false;
    } else if (this.#begun) this.#playing = true;
    this.#begun = true;
    if (this.#index >= this.#episodes.length) return 0;
    goal.set(this.#episodes[this.#index]!.goal);
    if (this.#playing) this.#at = this.#steps[0]!.step;
    this.#record = 0;
    this.#rested = 0;
    this.#ticks = 0;
    this.#left = Number.POSITIVE_INFINITY;
    return Number.POSITIVE_INFINITY;
  }

  ends(): 'counted' | 'void' | undefined {
    if (this.#playing) return this.#at >= this.#steps.at(-1)!.step ? 'counted' : undefined;
    return this.#rested >= settleS * this.#rateHz ? 'void' : undefined;
  }

  aim(state: Readonly<ControlState>, dtS: number, targets: Float64Array): void {
    if (this.#playing) this.#play(state, targets);
    else this.#comeToStart(state, dtS, targets);
  }

  /** @throws KitError E_REPLAY_START */
  #comeToStart(state: Readonly<ControlState>, dtS: number, targets: Float64Array): void {
    const start = this.#steps[0]!;
    this.#left = approach(state, start.target, dtS, targets);
    this.#ticks++;
    // All the way at half the speed of an approach, and the rest at the start.
    const mostS = settleS + Math.max(...this.#spec.joints.map(({ range }) => range[1] - range[0])) / (approachRadS / 2);
    if (this.#left < arrivedRad) this.#rested++;
    const rested = this.#rested >= settleS * this.#rateHz;
    const tooLong = this.#ticks * dtS > mostS;
    if (!rested && !tooLong) return;
    for (const [j, { name }] of this.#spec.joints.entries()) {
      const [is, was] = [state.position[j]!, start.position[j]!];
      const told = Math.abs(state.target[j]! - start.target[j]!) < arrivedRad;
      if (told && Math.abs(is - was) < startErrorRad) continue;
      throw new KitError(
        'E_REPLAY_START',
        `joint '${name}' does not get to where the recording begins: it stands at ${is.toFixed(2)} rad, then it stood at ${was.toFixed(2)}`,
        'see that the arm is free and carries what it carried then',
        'safetyStop',
      );
    }
  }

  #play(state: Readonly<ControlState>, targets: Float64Array): void {
    const steps = this.#steps;
    const last = steps.at(-1)!.step;
    if (this.#at > last) return;
    while (this.#record + 1 < steps.length && steps[this.#record + 1]!.step <= this.#at) this.#record++;
    const from = steps[this.#record]!;
    const to = steps[Math.min(this.#record + 1, steps.length - 1)]!;
    const share = to.step > from.step ? (this.#at - from.step) / (to.step - from.step) : 0;
    for (let j = 0; j < targets.length; j++) {
      targets[j] = from.target[j]! + share * (to.target[j]! - from.target[j]!);
      const recorded = from.position[j]! + share * (to.position[j]! - from.position[j]!);
      const off = Math.abs(state.position[j]! - recorded);
      // What was not measured then can't be compared.
      if (!Number.isFinite(off)) continue;
      this.#sum[j]! += off ** 2;
      this.#max[j] = Math.max(this.#max[j]!, off);
    }
    this.#played++;
    this.#ticks++;
    // The last record is played, too, wherever the speed leads.
    const next = Math.min(last, steps[0]!.step + this.#ticks * this.#speed);
    this.#at = this.#at < last ? next : Number.POSITIVE_INFINITY;
  }

  /** Of each joint; not a number where nothing was played. */
  deviations(): JointDeviation[] {
    return this.#spec.joints.map(({ name }, j) => ({
      joint: name,
      rmsRad: Math.sqrt(this.#sum[j]! / this.#played),
      maxRad: this.#played === 0 ? Number.NaN : this.#max[j]!,
    }));
  }

  words(): string {
    const { length } = this.#episodes;
    if (this.#index >= length) return 'played to the end';
    const which = `episode ${this.#episodes[this.#index]!.episode} (${this.#index + 1} of ${length})`;
    if (!this.#playing) {
      const toGo = Number.isFinite(this.#left) ? `: ${this.#left.toFixed(2)} rad to go` : '';
      return this.#left < arrivedRad ? `at the start of ${which}` : `comes to the start of ${which}${toGo}`;
    }
    return `plays ${which}: step ${Math.floor(this.#at)} of ${this.#steps.at(-1)!.step}`;
  }
}
