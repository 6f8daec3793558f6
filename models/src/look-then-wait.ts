/**
 * `Atomics.wait` for threads that take turns quickly: being woken takes tens of microseconds, seeing a word change takes less than one.
 *
 * Who looks keeps a core busy, so it pays only where there are cores for all that look and work at the same time: where there are not, each
 * keeps the others from what it is looking for.
 */

/** Loads between two readings of the clock, which cost more than a load. */
const loadsPerLook = 256;

/**
 * Looks for a while whether a word of shared memory is still `value`, then sleeps until it is notified or the time is up.
 *
 * @param lookForMs  0 to sleep at once
 * @param timeoutMs  of the sleep
 * @returns what `Atomics.wait` does: 'not-equal' where the word had changed before it slept; 'ok' says only that it was notified
 */
export function lookThenWait(
  words: Int32Array,
  index: number,
  value: number,
  lookForMs: number,
  timeoutMs: number,
): 'ok' | 'not-equal' | 'timed-out' {
  const untilMs = performance.now() + lookForMs;
  do {
    for (let i = 0; i < loadsPerLook; i++) if (Atomics.load(words, index) !== value) return 'not-equal';
  } while (performance.now() < untilMs);
  return Atomics.wait(words, index, value, timeoutMs);
}
