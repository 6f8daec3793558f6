/**
 * A ring of fixed-size tick records in a SharedArrayBuffer: one writer (the loop), one reader (the recorder's thread).
 *
 * Neither waits for the other on a real clock: a full ring drops the record and counts it. Head and tail count up for ever, modulo 2^32.
 */
import type { TickRecord } from './tick-record.js';
import { createTickRecord, type RecordSizes } from './tick-record.js';

/** Words of control. */
const words = { head: 0, tail: 1, dropped: 2, closing: 3, failed: 4 } as const;
const controlBytes = 64;
const flags = { late: 1, stale: 2, terminated: 4, truncated: 8 } as const;

export interface RingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
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
  if (!Number.isInteger(Math.log2(capacity))) throw new RangeError(`a ring of ${capacity} records: not a power of two`);
  return { buffer: new SharedArrayBuffer(controlBytes + 8 * slots(sizes) * capacity), capacity, sizes };
}

export class RecordRing {
  readonly #control: Int32Array;
  readonly #data: Float64Array;
  readonly #width: number;
  readonly #capacity: number;
  readonly #sizes: RecordSizes;

  constructor(memory: RingMemory) {
    this.#control = new Int32Array(memory.buffer, 0, controlBytes / 4);
    this.#data = new Float64Array(memory.buffer, controlBytes);
    this.#width = slots(memory.sizes);
    this.#capacity = memory.capacity;
    this.#sizes = memory.sizes;
  }

  /** Records that lie in the ring. */
  get waiting(): number {
    return (Atomics.load(this.#control, words.head) - Atomics.load(this.#control, words.tail)) | 0;
  }

  get dropped(): number {
    return Atomics.load(this.#control, words.dropped);
  }

  get closing(): boolean {
    return Atomics.load(this.#control, words.closing) === 1;
  }

  get failed(): boolean {
    return Atomics.load(this.#control, words.failed) === 1;
  }

  /** The reader: nothing more will be taken out. */
  fail(): void {
    Atomics.store(this.#control, words.failed, 1);
    Atomics.notify(this.#control, words.tail);
  }

  /** The writer: nothing more will come; wakes the reader. */
  close(): void {
    Atomics.store(this.#control, words.closing, 1);
    Atomics.notify(this.#control, words.head);
  }

  /** The reader sleeps until it is rung or `timeoutMs` are over. */
  sleep(timeoutMs: number): void {
    if (this.closing) return;
    Atomics.wait(this.#control, words.head, Atomics.load(this.#control, words.head), timeoutMs);
  }

  /**
   * Where time is virtual the loop runs ahead of any disk: then, and only then, it waits for room.
   *
   * @returns false where the reader has failed or took nothing for `timeoutMs`
   */
  waitForRoom(timeoutMs: number): boolean {
    while (this.waiting >= this.#capacity && !this.failed) {
      const tail = Atomics.load(this.#control, words.tail);
      Atomics.notify(this.#control, words.head);
      if (Atomics.wait(this.#control, words.tail, tail, timeoutMs) === 'timed-out') return false;
    }
    return !this.failed;
  }

  /** False: the ring was full, the record is dropped and counted. */
  push(tick: TickRecord, policy: number): boolean {
    const head = Atomics.load(this.#control, words.head);
    if (this.waiting >= this.#capacity) {
      Atomics.add(this.#control, words.dropped, 1);
      return false;
    }
    const data = this.#data;
    let at = (head & (this.#capacity - 1)) * this.#width;
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
    Atomics.store(this.#control, words.head, (head + 1) | 0);
    return true;
  }

  /** The oldest record, as a copy; undefined where there is none. */
  shift(): RingRecord | undefined {
    if (this.waiting === 0) return undefined;
    const tail = Atomics.load(this.#control, words.tail);
    const record = createTickRecord(this.#sizes);
    const data = this.#data;
    let at = (tail & (this.#capacity - 1)) * this.#width;
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
    Atomics.store(this.#control, words.tail, (tail + 1) | 0);
    Atomics.notify(this.#control, words.tail);
    return { ...record, policy };
  }
}
