/** What there is to say of a trial while it goes on. */
import type { TriedPhase } from './trial-phases.js';

export interface TrialNews {
  /** Of the policy on trial; of the one that drives, where the store can't be written. */
  readonly digest: string;
  /** A phase that is over; how the trial ended; or what keeps it from going on. */
  readonly event: TriedPhase | 'committed' | 'rolled-back' | 'waiting' | 'paused' | 'unsaved';
  readonly words: string;
  /** That the phase took. */
  readonly seconds: number;
  readonly figures?: Readonly<Record<string, number>>;
}
