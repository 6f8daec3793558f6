/** What a trial needs of the release store. Every call is synchronous and durable when it returns; it is made from the watching thread. */
import type { HistoryEntry } from '../releases/history.js';
import type { PolicyRecord } from '../releases/policy-record.js';
import type { StoreState } from '../releases/store-state.js';

export interface TrialStore {
  state(): StoreState;
  /** The phase is written, then `current` names the policy on trial. */
  enter(phase: 'limited' | 'full'): void;
  /** A loop begins to drive with it. */
  started(): void;
  /** The loop that drives can't try it: the next run does. */
  wait(reason: string): void;
  /** That loop has ended in order: the next run goes on with the trial. */
  paused(): void;
  /** What it replaced becomes `previous`, and the record is kept. */
  commit(record: PolicyRecord): void;
  /** `current` names what it replaced, or nothing; the policy is known to be bad, and why. */
  rollback(reason: string): void;
  record(digest: string): PolicyRecord | undefined;
  keepRecord(digest: string, record: PolicyRecord): void;
  note(entry: HistoryEntry): void;
}
