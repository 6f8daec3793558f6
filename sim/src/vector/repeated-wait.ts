/**
 * A wait that comes again and again: a thread's for its next step, the caller's for its threads.
 *
 * It looks before it sleeps (look-then-sleep.ts) as long as that succeeds. Where it does not, the step is long, or whom it waits for has no
 * core to itself and might be kept from it by the very looking; so after a failure it sleeps at once for some times, twice as many as after
 * the failure before, and half as many after a success.
 *
 * Two threads of which another program took one core were twenty times slower where they always looked than where they never did.
 */
import { lookThenSleep } from '@sim2servo/models/look-then-sleep';

/** Beside a wait that is longer, being woken is little. */
const lookForMs = 2;
/** Times that it sleeps at once, at most: few enough to find out soon that there is a core again. */
const longestPause = 256;

export class RepeatedWait {
  readonly #lookThenSleep: typeof lookThenSleep;
  /** How many times it sleeps at once after the next failure. */
  #pause = 1;
  #pausesLeft: number;

  /** @param mayLook  whether there is a core for each of the threads that wait for each other; else it always sleeps at once */
  constructor(mayLook: boolean, wait = lookThenSleep) {
    this.#pausesLeft = mayLook ? 0 : Number.POSITIVE_INFINITY;
    this.#lookThenSleep = wait;
  }

  /**
   * Returns when a word of shared memory has changed to what it waits for; it must be notified then.
   *
   * @param timeoutMs  of a sleep
   * @returns whether it did in time
   */
  until(words: Int32Array, index: number, isOver: (value: number) => boolean, timeoutMs: number): boolean {
    const looks = this.#pausesLeft === 0;
    let slept = false;
    // In a loop: a wake-up may be a late one of the time before.
    for (let value = Atomics.load(words, index); !isOver(value); value = Atomics.load(words, index)) {
      const ended = this.#lookThenSleep(words, index, value, timeoutMs, looks && !slept ? lookForMs : 0);
      if (ended === 'timed-out') return false;
      slept ||= ended === 'ok';
    }
    if (!looks) this.#pausesLeft--;
    else if (!slept) this.#pause = Math.max(1, this.#pause / 2);
    else {
      this.#pausesLeft = this.#pause;
      this.#pause = Math.min(2 * this.#pause, longestPause);
    }
    return true;
  }
}
