/** How late this machine wakes a loop: absolute deadlines at a rate, on the clock that the control loop waits with. */
import { Histogram, type HistogramSummary } from './histogram.js';
import type { RealtimeClock } from './realtime-clock.js';

/** Not counted: the compiler is still at it. */
const warmUpS = 2;

/** @returns lateness in µs */
export async function measureWakeUps(clock: RealtimeClock, hz: number, seconds: number): Promise<HistogramSummary> {
  const late = new Histogram();
  const periodUs = 1e6 / hz;
  const startUs = clock.nowUs() + warmUpS * 1e6;
  const endUs = startUs + seconds * 1e6;
  for (let deadlineUs = clock.nowUs() + periodUs; deadlineUs < endUs; ) {
    await clock.waitUntil(deadlineUs);
    const nowUs = clock.nowUs();
    if (deadlineUs >= startUs) late.record(nowUs - deadlineUs);
    // Deadlines that have passed meanwhile are gone, as in the control loop.
    deadlineUs += periodUs * Math.max(1, Math.ceil((nowUs - deadlineUs) / periodUs));
  }
  return late.summary();
}
