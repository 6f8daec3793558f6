/** What is counted over a run, tick by tick. */
import type { ControlState } from '@sim2servo/models/control-state';
import { type Limiter, limiters, refusals } from '@sim2servo/models/shield';

/** Limiters that act where a policy is hasty, and those that act at the ends of the ranges: many a good one leans there. */
const hasty = limiters.velocity | limiters.acceleration | limiters.lead;
const bounding = limiters.range | limiters.softLimit;

const limiterList = Object.entries(limiters) as [Limiter, number][];

/** Why nothing was written in a control period. */
export type MissReason =
  /** The system did not run the loop's thread, or something else held it up between two ticks. */
  | 'away'
  /** The sample came too late. */
  | 'read'
  /** What the loop does itself took too long: inference, shield, write, and collecting garbage meanwhile. */
  | 'work';

export class TickCounters {
  ticks = 0;
  /** Control periods in which nothing was written, by what was to blame. */
  readonly missedBy: Record<MissReason, number> = { away: 0, read: 0, work: 0 };
  /** Ticks without a fresh, finite sample. */
  stale = 0;
  /** Ticks whose action the shield refused. */
  refused = 0;
  recordsDropped = 0;
  /** Ticks in which velocity, acceleration or lead was limited, other than to a share of full speed. */
  limitedTicks = 0;
  /** Ticks in which a joint was stopped or slowed at an end of its range. */
  boundedTicks = 0;
  /** Ticks whose own work ran into the next control period. */
  lateTicks = 0;
  /** Of the joints' mean squared distance from their targets: rad², over all fresh ticks. In an array: a field of its own would be a new number a tick. */
  readonly trackingSquareSum = new Float64Array(1);
  /** Of the task's error, and of what it would be had the arm stood still since the goal was begun: m², over all fresh ticks. */
  readonly errorSquareSum = new Float64Array(1);
  readonly stillSquareSum = new Float64Array(1);
  readonly #limited = new Float64Array(limiterList.length);

  get missed(): number {
    const { away, read, work } = this.missedBy;
    return away + read + work;
  }

  /** `periods` went by in which nothing could be written, after a tick that was. */
  late(reason: MissReason, periods: number): void {
    this.missedBy[reason] += periods;
    if (reason === 'work' && periods > 0) this.lateTicks++;
  }

  limited(bits: number): void {
    if ((bits & refusals) !== 0) this.refused++;
    if (bits === 0) return;
    if ((bits & hasty) !== 0) this.limitedTicks++;
    if ((bits & bounding) !== 0) this.boundedTicks++;
    for (let i = 0; i < limiterList.length; i++) if ((bits & limiterList[i]![1]) !== 0) this.#limited[i]! += 1;
  }

  /** A fresh sample was taken in, and the next target is not chosen yet. */
  tracked({ target, position }: ControlState): void {
    let squares = 0;
    for (let j = 0; j < target.length; j++) squares += (target[j]! - position[j]!) ** 2;
    this.trackingSquareSum[0]! += squares / target.length;
  }

  /** The task's error at a fresh sample, and what it would be had the arm stood still since the goal was begun: m. */
  pursued(errorM: number, stillM: number): void {
    this.errorSquareSum[0]! += errorM ** 2;
    this.stillSquareSum[0]! += stillM ** 2;
  }

  /** Ticks in which each limiter changed something. */
  limiterTicks(): Record<Limiter, number> {
    return Object.fromEntries(limiterList.map(([name], i) => [name, this.#limited[i]!])) as Record<Limiter, number>;
  }
}
