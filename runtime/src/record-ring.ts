/** A ring of fixed-size tick records: one writer (the loop), one reader (the recorder's thread). */
import { SharedRing, type SharedRingMemory, sharedRing } from './shared-ring.js';
import type { TickRecord } from './tick-record.js';
import { createTickRecord, type RecordSizes } from './tick-record.js';

const flags = { late: 1, stale: 2, terminated: 4, truncated: 8 } as const;

export interface RingMemory {
  readonly ring: SharedRingMemory;
  readonly sizes: RecordSizes;
}

/** What comes out again. */
export interface RingRecord extends TickRecord {
  /** Which of the run's policies drove, counted from 0. */
  readonly policy: number;
}

/** Numbers a record takes: time, episode, step, limiters, flags, policy, then the arrays. */
function slots({ observation, joints }: RecordSizes): number {
  return 6 + observation + 5 * joints + 3;
}

export function createRingMemory(sizes: RecordSizes, capacity: number): RingMemory {
  return { ring: sharedRing(slots(sizes), capacity), sizes };
}

export class RecordRing extends SharedRing {
  readonly #sizes: RecordSizes;

  constructor({ ring, sizes }: RingMemory) {
    super(ring);
    this.#sizes = sizes;
  }

  /** False: the ring was full, the record is dropped and counted. */
  push(tick: TickRecord, policy: number): boolean {
    let at = this.rowToWrite();
    if (at < 0) return false;
    const { data } = this;
    data[at++] = tick.timeS;
    data[at++] = tick.episode;
    data[at++] = tick.step;
    data[at++] = tick.limiters;
    data[at++] =
      (tick.late ? flags.late : 0) |
      (tick.stale ? flags.stale : 0) |
      (tick.terminated ? flags.terminated : 0) |
      (tick.truncated ? flags.truncated : 0);
    data[at++] = policy;
    data.set(tick.observation, at);
    at += tick.observation.length;
    data.set(tick.actionRequested, at);
    at += tick.actionRequested.length;
    data.set(tick.actionExecuted, at);
    at += tick.actionExecuted.length;
    data.set(tick.position, at);
    at += tick.position.length;
    data.set(tick.velocity, at);
    at += tick.velocity.length;
    data.set(tick.target, at);
    at += tick.target.length;
    data.set(tick.goal, at);
    this.written();
    return true;
  }

  /** The oldest record, as a copy; undefined where there is none. */
  shift(): RingRecord | undefined {
    let at = this.rowToRead();
    if (at < 0) return undefined;
    const { data } = this;
    const record = createTickRecord(this.#sizes);
    record.timeS = data[at++]!;
    record.episode = data[at++]!;
    record.step = data[at++]!;
    record.limiters = data[at++]!;
    const bits = data[at++]!;
    record.late = (bits & flags.late) !== 0;
    record.stale = (bits & flags.stale) !== 0;
    record.terminated = (bits & flags.terminated) !== 0;
    record.truncated = (bits & flags.truncated) !== 0;
    const policy = data[at++]!;
    for (const array of [
      record.observation,
      record.actionRequested,
      record.actionExecuted,
      record.position,
      record.velocity,
      record.target,
      record.goal,
    ]) {
      array.set(data.subarray(at, at + array.length));
      at += array.length;
    }
    this.taken();
    return { ...record, policy };
  }
}
