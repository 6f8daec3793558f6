/** Whether a loop kept its rate: by shares of its own ticks and period, whatever the machine. */
import type { RealTimeReport } from '../report/report.js';
import type { CheckResult } from './rig-checks.js';

/** Of the ticks, missed or without a fresh sample; one may always be. */
const lostShare = 0.01;
/** Of the period, by all that a tick does but read, at p99: the rest is for the bus, and for waking late. */
const workShare = 0.5;

export function judgeTiming({
  rateHz,
  ticks,
  missed,
  stale,
  phases,
}: Pick<RealTimeReport, 'rateHz' | 'ticks' | 'missed' | 'stale' | 'phases'>): CheckResult {
  const mayLose = Math.max(1, Math.floor(lostShare * (ticks + missed)));
  const workUs = phases.tickUs.whole.p99;
  const mayWorkUs = (workShare * 1e6) / rateHz;
  const wrong = [
    ...(ticks === 0 ? ['there was no tick'] : []),
    ...(missed + stale > mayLose
      ? [`${missed} of ${ticks + missed} ticks missed, ${stale} without a fresh sample: ${mayLose} may be`]
      : []),
    ...(workUs > mayWorkUs
      ? [`a tick works for ${workUs.toFixed(0)} µs (p99, read excluded), and may for ${mayWorkUs.toFixed(0)}`]
      : []),
  ];
  return { name: `the loop keeps ${rateHz} Hz`, passed: wrong.length === 0, detail: wrong.join('; ') };
}
