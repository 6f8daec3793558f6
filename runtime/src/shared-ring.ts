/**
 * A ring of rows of numbers in a SharedArrayBuffer: one writer (the loop), one reader (a thread beside it).
 *
 * Neither waits for the other on a real clock: a full ring drops the row and counts it. Head and tail count up for ever, modulo 2^32.
 */

/** Words of control. */
const words = { head: 0, tail: 1, dropped: 2, closing: 3, failed: 4 } as const;
const controlBytes = 64;

export interface SharedRingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  /** Numbers in a row. */
  readonly width: number;
}

/** @param capacity rows, a power of two */
export function sharedRing(width: number, capacity: number): SharedRingMemory {
  if (!Number.isInteger(Math.log2(capacity))) throw new RangeError(`a ring of ${capacity} records: not a power of two`);
  return { buffer: new SharedArrayBuffer(controlBytes + 8 * width * capacity), capacity, width };
}

export class SharedRing {
  /** Where the rows lie. */
  protected readonly data: Float64Array;
  readonly #control: Int32Array;
  readonly #width: number;
  readonly #capacity: number;

  constructor({ buffer, capacity, width }: SharedRingMemory) {
    this.#control = new Int32Array(buffer, 0, controlBytes / 4);
    this.data = new Float64Array(buffer, controlBytes);
    this.#width = width;
    this.#capacity = capacity;
  }

  /** Rows that lie in the ring. */
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
   * Where time is virtual the loop runs ahead of any reader: then, and only then, it waits for room.
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

  /** Where in `data` the next row begins; −1 where the ring is full, which counts as dropped. */
  protected rowToWrite(): number {
    if (this.waiting < this.#capacity) return this.#row(words.head);
    Atomics.add(this.#control, words.dropped, 1);
    return -1;
  }

  protected written(): void {
    this.#next(words.head);
  }

  /** Where in `data` the oldest row begins; −1 where there is none. */
  protected rowToRead(): number {
    return this.waiting === 0 ? -1 : this.#row(words.tail);
  }

  protected taken(): void {
    this.#next(words.tail);
    Atomics.notify(this.#control, words.tail);
  }

  #row(end: number): number {
    return (Atomics.load(this.#control, end) & (this.#capacity - 1)) * this.#width;
  }

  /** Only its own side moves an end. */
  #next(end: number): void {
    Atomics.store(this.#control, end, (Atomics.load(this.#control, end) + 1) | 0);
  }
}
