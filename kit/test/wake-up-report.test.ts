import t from 'tap';
import { realisticRates, wakeUpReport, wakeUpWords } from '../src/wake-up-report.js';

const row = (hz: number, p999: number) => ({ hz, p50: 5, p99: 20, p999, max: 2 * p999 });

t.test('a rate is realistic where 999 of 1 000 ticks are in time, or where they are at a faster one', async t => {
  const judged = (...rows: ReturnType<typeof row>[]) => realisticRates(rows).map(({ realistic }) => realistic);
  t.same(judged(row(100, 999), row(200, 499), row(500, 201)), [true, true, false]);
  t.same(judged(row(100, 1974), row(200, 600), row(500, 22)), [true, true, true], 'a hiccup while it was slow');
  t.same(judged(row(100, 1974), row(200, 600)), [false, false]);
});

t.test('the words name the rule and each rate', async t => {
  const ordinary = realisticRates([row(100, 999), row(1000, 500)]);
  const words = wakeUpWords({ ordinary, priority: 'refused', advice: ['do this'] });
  t.match(words, /100 Hz {2}realistic .*999/);
  t.match(words, /1000 Hz {2}not realistic/);
  t.match(words, /refused\nrealistic: 999 of 1 000 ticks begin within 10 % of the period/);
  t.match(words, /→ do this$/);
});

t.test('this machine is woken at each rate, with real-time priority as well where it may be had', async t => {
  const doing: string[] = [];
  const report = await wakeUpReport(
    what => doing.push(what),
    () => 0.1,
  );
  const measured = [report.ordinary, ...(report.realtime === undefined ? [] : [report.realtime])];
  for (const rows of measured) {
    t.same(
      rows.map(({ hz }) => hz),
      [50, 100, 200, 500, 1000],
    );
    for (const { hz, p50, p99, p999, max } of rows)
      t.ok(p50 > 0 && p50 <= p99 && p99 <= p999 && p999 <= max && max < 1e6, `${hz} Hz: ${[p50, p99, p999, max]} µs`);
  }
  t.equal(doing.length, 5 * measured.length);
  t.ok(report.priority.length > 0, 'whether it was had is said');
});
