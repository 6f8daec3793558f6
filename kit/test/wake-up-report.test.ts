import t from 'tap';
import { realisticRates, wakeUpWords } from '../src/wake-up-report.js';

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
