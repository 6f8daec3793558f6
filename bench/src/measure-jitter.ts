/** How late a loop wakes: the runtime's clock, waiting for absolute deadlines at a rate, as the control loop does. */
import { Histogram } from '@sim2servo/runtime/histogram';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import type { Figures } from './turns.js';

export interface JitterWork {
  readonly hz: number;
  readonly seconds: number;
}

export async function measureJitter({ hz, seconds }: JitterWork): Promise<Figures> {
  const clock = new RealtimeClock();
  const late = new Histogram();
  const periodUs = 1e6 / hz;
  let deadlineUs = clock.nowUs() + periodUs;
  for (let i = 0; i < hz * seconds; i++) {
    await clock.waitUntil(deadlineUs);
    const nowUs = clock.nowUs();
    late.record(nowUs - deadlineUs);
    // Deadlines that have passed meanwhile are gone, as in the control loop.
    deadlineUs += periodUs * Math.max(1, Math.ceil((nowUs - deadlineUs) / periodUs));
  }
  const { p50, p99, p999, max } = late.summary();
  return { p50Us: p50, p99Us: p99, p999Us: p999, maxUs: max };
}
