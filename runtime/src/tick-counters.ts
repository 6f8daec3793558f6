/** What is counted over a run, tick by tick. */
import { type Limiter, limiters, refusals } from '@sim2servo/models/shield';

const limiterList = Object.entries(limiters) as [Limiter, number][];

export class TickCounters {
  ticks = 0;
  /** Control periods in which nothing was written. */
  missed = 0;
  /** Ticks without a fresh, finite sample. */
  stale = 0;
  /** Ticks whose action the shield refused. */
  refused = 0;
  recordsDropped = 0;
  readonly #limited = new Float64Array(limiterList.length);

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
