/**
 * How a thread waits for a word of shared memory: it looks again and again for a while, since an update is a few hundred microseconds and
 * being woken takes tens; then it sleeps.
 */

const lookForMs = 0.2;

/** Returns when the word changed, or was not changed for `sleepMs` beyond the looking. */
export function lookThenSleep(words: Int32Array, index: number, was: number, sleepMs = 1000): void {
  const untilMs = performance.now() + lookForMs;
  do {
    for (let i = 0; i < 256; i++) if (Atomics.load(words, index) !== was) return;
  } while (performance.now() < untilMs);
  Atomics.wait(words, index, was, sleepMs);
}
