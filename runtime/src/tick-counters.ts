/** What is counted over a run, tick by tick. */
import { type Limiter, limiters, refusals } from '@sim2servo/models/shield';

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
  readonly #limited = new Float64Array(limiterList.length);

  get missed(): number {
    const { away, read, work } = this.missedBy;
    return away + read + work;
  }

  limited(bits: number): void {
    if ((bits & refusals) !== 0) this.refused++;
    if (bits === 0) return;
    for (let i = 0; i < limiterList.length; i++) if ((bits & limiterList[i]![1]) !== 0) this.#limited[i]! += 1;
  }

  /** Ticks in which each limiter changed something. */
  limiterTicks(): Record<Limiter, number> {
    return Object.fromEntries(limiterList.map(([name], i) => [name, this.#limited[i]!])) as Record<Limiter, number>;
  }
}
