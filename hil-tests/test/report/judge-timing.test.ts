import { Histogram } from '@sim2servo/runtime/histogram';
import { type TickPhase, tickPhases } from '@sim2servo/runtime/tick-timing';
import t from 'tap';
import type { Latency } from '../../src/report/report.js';
import { judgeTiming } from '../../src/scenarios/judge-timing.js';

/** All ticks but the last five of a hundred work for 1 ms, those for `slowUs`. */
function timing(counts: { ticks: number; missed?: number; stale?: number; slowUs?: number }) {
  const whole = new Histogram();
  for (let i = 0; i < 100; i++) whole.record(i < 95 ? 1000 : (counts.slowUs ?? 1000));
  const latency: Latency = { whole: whole.toJSON(), runs: [] };
  const phases = Object.fromEntries(Object.keys(tickPhases).map(phase => [phase, latency])) as Record<
    TickPhase,
    Latency
  >;
  return judgeTiming({ rateHz: 50, missed: 0, stale: 0, phases, ...counts });
}

t.test('a loop that keeps its rate, or loses one tick in a hundred at most', async t => {
  t.same(timing({ ticks: 600 }), { name: 'the loop keeps 50 Hz', passed: true, detail: '' });
  t.ok(timing({ ticks: 597, missed: 3, stale: 3 }).passed);
});

t.test('what is lost, and may be, is said', async t => {
  t.match(timing({ ticks: 597, missed: 3, stale: 4 }), {
    passed: false,
    detail: '3 of 600 ticks missed, 4 without a fresh sample: 6 may be',
  });
  t.match(timing({ ticks: 0 }), { passed: false, detail: 'there was no tick' });
});

t.test('a tick may work for half of its period', async t => {
  t.ok(timing({ ticks: 600, slowUs: 9000 }).passed);
  t.match(timing({ ticks: 600, slowUs: 11_000 }), {
    passed: false,
    detail: /^a tick works for 1[01]\d{3} µs \(p99, read excluded\), and may for 10000$/,
  });
});
