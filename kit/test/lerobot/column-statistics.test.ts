import t from 'tap';
import { columnStatistics, joinedStatistics } from '../../src/lerobot/column-statistics.js';

t.test('statistics by hand', async t => {
  const { std, ...rest } = columnStatistics([
    [1, 3, 2, 5, 4],
    [7, 7, 7, 7, 7],
  ]);
  t.strictSame(rest, {
    min: [1, 7],
    max: [5, 7],
    mean: [3, 7],
    count: [5],
    q01: [1.04, 7],
    q10: [1.4, 7],
    q50: [3, 7],
    q90: [4.6, 7],
    q99: [4.96, 7],
  });
  t.ok(Math.abs(std[0]! - Math.SQRT2) < 1e-15);
  t.equal(std[1], 0);
});

t.test('the values themselves stay in their order', async t => {
  const values = [3, 1, 2];
  columnStatistics([values]);
  t.strictSame(values, [3, 1, 2]);
});

t.test('two parts joined are what the whole is', async t => {
  const values = Array.from({ length: 100 }, (_, i) => Math.sin(i * i) + 50);
  const whole = columnStatistics([values]);
  const joined = joinedStatistics(columnStatistics([values.slice(0, 30)]), columnStatistics([values.slice(30)]));
  for (const name of ['min', 'max', 'mean', 'std', 'count'] as const)
    t.ok(Math.abs(joined[name][0]! - whole[name][0]!) < 1e-12, name);
});

t.test('quantiles are joined by the number of frames', async t => {
  const joined = joinedStatistics(columnStatistics([[1, 1, 1]]), columnStatistics([[5]]));
  t.equal(joined.q50[0], 2);
});
