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
 * @param sleepMs    at most, beyond the looking
 * @param lookForMs  0 to sleep at once; as it is, a good part of an update of the learner
 * @returns what `Atomics.wait` does: 'not-equal' where the word had changed before it slept; 'ok' says only that it was notified
 */
export function lookThenSleep(
  words: Int32Array,
  index: number,
  value: number,
  sleepMs = 1000,
  lookForMs = 0.2,
): 'ok' | 'not-equal' | 'timed-out' {
  const untilMs = performance.now() + lookForMs;
  do {
    for (let i = 0; i < loadsPerLook; i++) if (Atomics.load(words, index) !== value) return 'not-equal';
  } while (performance.now() < untilMs);
  return Atomics.wait(words, index, value, sleepMs);
}
