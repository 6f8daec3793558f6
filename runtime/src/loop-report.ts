/** What the control loop says while it runs and when it has ended. Plain records, ready for JSON. */
import type { Motion, MotionState } from '@sim2servo/models/motion-state';
import type { Limiter } from '@sim2servo/models/shield';
import type { TargetResult } from './episodes.js';
import type { HistogramJson } from './histogram.js';
import type { MissReason } from './tick-counters.js';
import type { TickPhase } from './tick-timing.js';

export interface LoopStatus {
  readonly motion: Motion;
  readonly reason: string;
  readonly ticks: number;
  readonly missed: number;
  readonly episode: number;
  /** Goals whose time is over, and how many of them were reached. */
  readonly targets: number;
  readonly reached: number;
  /** Task error at the last sample, m. */
  readonly errorM: number;
  readonly linkErrors: number;
  readonly inferP99Us: number;
  readonly positionRad: readonly number[];
}

export interface LoopEnd {
  /** done: goals or time over. interrupted: by the signal. stopped: latched for safety. failed: port or log gone, or a bug. */
  readonly kind: 'done' | 'interrupted' | 'stopped' | 'failed';
  readonly reason: string;
  /** To be thrown once the report was shown: for `stopped` and `failed`. */
  readonly error?: Error;
  /** Which joints are not held, or why the device could not be told to hold; absent where every joint was confirmed to hold. */
  readonly haltError?: string;
}

export interface LoopReport {
  readonly end: LoopEnd;
  readonly motion: MotionState;
  readonly ticks: number;
  /** Control periods in which nothing was written. */
  readonly missed: number;
  /** The same, by what was to blame. */
  readonly missedBy: Readonly<Record<MissReason, number>>;
  /** Ticks without a fresh, finite sample. */
  readonly stale: number;
  /** Ticks whose action was refused by the shield. */
  readonly refused: number;
  readonly recordsDropped: number;
  readonly relocks: number;
  readonly linkErrors: number;
  /** Ticks in which each limiter changed something. */
  readonly limiterTicks: Readonly<Record<Limiter, number>>;
  readonly targets: readonly TargetResult[];
  readonly timing: Readonly<Record<TickPhase, HistogramJson>>;
}
