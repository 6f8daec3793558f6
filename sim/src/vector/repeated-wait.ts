/**
 * A wait that comes again and again and takes about as long each time: how long to look before sleeping (look-then-wait.ts) is learnt from
 * the last one.
 *
 * A fixed time does not do. One that covers the step of many environments is wasted where another program has the core of whom it waits
 * for: two threads beside two busy programs were six times slower looking for 2 ms than sleeping at once.
 */
import { lookThenWait } from '@sim2servo/models/look-then-wait';

/** About what being woken costs. */
const shortestLookMs = 0.05;
/** Beside a longer wait being woken is little. */
const longestLookMs = 2;

export class RepeatedWait {
  readonly #mayLook: boolean;
  #lookForMs: number;

  /** @param mayLook  whether there are cores for all who look and work at the same time */
  constructor(mayLook: boolean) {
    this.#mayLook = mayLook;
    this.#lookForMs = mayLook ? shortestLookMs : 0;
  }

  /**
   * Returns when a word of shared memory has changed to what it waits for; it must be notified then.
   *
   * @param timeoutMs  from the last notification on
   * @returns whether it did in time
   */
  until(words: Int32Array, index: number, isOver: (value: number) => boolean, timeoutMs: number): boolean {
    const startMs = performance.now();
    // In a loop: a wake-up may be a late one of the time before.
    for (let value = Atomics.load(words, index); !isOver(value); value = Atomics.load(words, index))
      if (lookThenWait(words, index, value, this.#lookForMs, timeoutMs) === 'timed-out') return false;
    if (this.#mayLook) this.#lookForMs = nextLookMs(performance.now() - startMs);
    return true;
  }
}

/** With room for a wait that is twice as long as the last; hardly at all where even that one was not worth it. */
export function nextLookMs(waitedMs: number): number {
  return waitedMs > longestLookMs ? shortestLookMs : Math.min(shortestLookMs + 2 * waitedMs, longestLookMs);
}
