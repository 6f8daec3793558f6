/** How late the control loop's clock wakes, with real-time priority where this user may have it (`realtimePriority` 1). */
import { keepGcPausesShort } from '@sim2servo/runtime/gc-pauses';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { requestRealtimePriority } from '@sim2servo/runtime/realtime-priority';
import { measureWakeUps } from '@sim2servo/runtime/wake-ups';
import type { Figures } from './turns.js';

export interface JitterWork {
  readonly hz: number;
  readonly seconds: number;
}

export async function measureJitter({ hz, seconds }: JitterWork): Promise<Figures> {
  keepGcPausesShort();
  const { granted } = requestRealtimePriority();
  const { p50, p99, p999, max } = await measureWakeUps(new RealtimeClock(), hz, seconds);
  return { p50Us: p50, p99Us: p99, p999Us: p999, maxUs: max, realtimePriority: Number(granted) };
}
