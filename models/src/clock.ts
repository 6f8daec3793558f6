/**
 * Time, as everything that waits sees it: the real one in a process, a virtual one in the rigs and tests.
 *
 * Seconds are too coarse for a loop and nanoseconds need BigInt, so time is a `number` of microseconds since the clock's own origin.
 */
export interface Clock {
  /** Monotonic time. */
  nowUs(): number;
  /** Resolves at or after `timeUs`. */
  waitUntil(timeUs: number): Promise<void>;
}
