/**
 * Calls on their way from the sampler thread to the learner: a ring of slots in one piece of shared memory, each with the batch and the
 * noise of one call. One side fills, the other takes, in the same order; no lock and no message.
 */
import { lookThenSleep } from '@sim2servo/models/look-then-sleep';
import type { CallInputs } from './batch-source.js';

/** A power of two, so that counts may overflow. More than a few only take memory: drawing is faster than an update. */
const slotCount = 4;
const [filled, taken] = [0, 1] as const;
/** V8 copies to and from shared memory byte by byte where the two sides are not aligned alike. */
const lineBytes = 64;
/** How long {@link CallSlots.take} sleeps: the caller may want to see whether the other side still lives. */
const sleepMs = 10;

type Lengths = Readonly<Record<string, number>>;

/** What another thread needs to see the same slots. */
export interface SharedCalls {
  readonly memory: SharedArrayBuffer;
  /** Floats of each array of a call. */
  readonly batch: Lengths;
  readonly noise: Lengths;
  readonly updatesPerCall: number;
}

/** Slots for the calls of an engine. */
export function shareCalls({ batch, noise, updatesPerCall = 1 }: CallInputs): SharedCalls {
  const lengths = (arrays: CallInputs['batch']): Lengths =>
    Object.fromEntries(Object.entries(arrays).map(([name, { length }]) => [name, length]));
  const shapes = { batch: lengths(batch), noise: lengths(noise) };
  const slotBytes = [...Object.values(shapes.batch), ...Object.values(shapes.noise)]
    .map(bytesOf)
    .reduce((sum, bytes) => sum + bytes, 0);
  return { memory: new SharedArrayBuffer(lineBytes + slotCount * slotBytes), ...shapes, updatesPerCall };
}

export class CallSlots {
  readonly slots: readonly CallInputs[];
  readonly #words: Int32Array;

  constructor({ memory, batch, noise, updatesPerCall }: SharedCalls) {
    this.#words = new Int32Array(memory, 0, 2);
    let offset = lineBytes;
    const arrays = (lengths: Lengths) =>
      Object.fromEntries(
        Object.entries(lengths).map(([name, length]) => {
          const values = new Float32Array(memory, offset, length);
          offset += bytesOf(length);
          return [name, values];
        }),
      );
    this.slots = Array.from({ length: slotCount }, () => ({
      batch: arrays(batch),
      noise: arrays(noise),
      updatesPerCall,
    }));
  }

  /** Waits until a slot is free, for ever, and has it filled. */
  fill(work: (slot: number) => void): void {
    const count = Atomics.load(this.#words, filled);
    const full = (count - slotCount) | 0;
    while (Atomics.load(this.#words, taken) === full) Atomics.wait(this.#words, taken, full);
    work(count & (slotCount - 1));
    Atomics.store(this.#words, filled, (count + 1) | 0);
    Atomics.notify(this.#words, filled);
  }

  /** Has the next slot read and gives it back; false where none was filled for some milliseconds. */
  take(work: (slot: number) => void): boolean {
    const count = Atomics.load(this.#words, taken);
    if (Atomics.load(this.#words, filled) === count) lookThenSleep(this.#words, filled, count, sleepMs);
    if (Atomics.load(this.#words, filled) === count) return false;
    work(count & (slotCount - 1));
    Atomics.store(this.#words, taken, (count + 1) | 0);
    Atomics.notify(this.#words, taken);
    return true;
  }
}

function bytesOf(floats: number): number {
  return Math.ceil((floats * 4) / lineBytes) * lineBytes;
}
