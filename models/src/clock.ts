/**
 * Time, as everything that waits sees it: the real one in a process, a virtual one in the rigs and tests.
 *
 * Seconds are too coarse for a loop and nanoseconds need BigInt, so time is a `number` of microseconds since the clock's own origin.
 */
export interface Clock {
  /** Monotonic time. */
  nowUs(): number;
  /**
   * Resolves at or after `timeUs`, or as soon as `wake` has resolved. A virtual clock must not let time run on past the instant at which
   * `wake` resolved: a reader that waits for the next sample "at most 25 ms" would otherwise find itself 25 ms later.
   */
  waitUntil(timeUs: number, wake?: Promise<unknown>): Promise<void>;
}
