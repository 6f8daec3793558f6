import fc from 'fast-check';
import t from 'tap';
import { Histogram } from '../src/histogram.js';

t.test('percentiles are those of the sorted values, to less than 1 %', async () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 300 }), values => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const sorted = [...values].sort((a, b) => a - b);
      for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!;
        const found = histogram.percentile(share);
        if (Math.abs(found - exact) > 0.01 * exact + 0.1) throw new Error(`p${share}: ${found}, exactly ${exact}`);
      }
    }),
  );
});

t.test('minimum, maximum, mean and count are exact', async t => {
  const histogram = new Histogram();
  for (const value of [0, 12.34, 5_000_000_000, 7]) histogram.record(value);
  const { count, min, mean, max } = histogram.summary();
  t.same({ count, min, mean, max }, { count: 4, min: 0, mean: (12.34 + 5_000_000_000 + 7) / 4, max: 5_000_000_000 });
});

t.test('nothing recorded gives NaN, and null in JSON', async t => {
  const histogram = new Histogram();
  t.ok(Number.isNaN(histogram.percentile(0.5)));
  t.match(JSON.parse(JSON.stringify(histogram)), { count: 0, p50: null, max: null, buckets: [] });
});

t.test('negative durations count as 0, NaN not at all', async t => {
  const histogram = new Histogram();
  histogram.record(-3);
  histogram.record(Number.NaN);
  t.equal(histogram.count, 1);
  t.equal(histogram.percentile(1), 0);
});

t.test('the buckets in JSON hold every record', async t => {
  const histogram = new Histogram();
  for (let i = 0; i < 1000; i++) histogram.record(i ** 2 / 7);
  const { buckets } = histogram.toJSON();
  t.equal(
    buckets.reduce((sum, [, count]) => sum + count, 0),
    1000,
  );
  t.ok(buckets.every(([low], i) => i === 0 || low > buckets[i - 1]![0]));
});

t.test('a reset forgets everything', async t => {
  const histogram = new Histogram();
  histogram.record(5);
  histogram.reset();
  t.equal(histogram.count, 0);
  t.same(histogram.toJSON().buckets, []);
});

t.test('what another one held is added, bucket by bucket', async t => {
  const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (let i = 0; i < 1000; i++) {
    const us = (i * 7.3) % 911;
    (i % 3 === 0 ? one : other).record(us);
    both.record(us);
  }
  one.add(other.toJSON());
  one.add(new Histogram().toJSON());
  const { mean, ...sums } = one.toJSON();
  const { mean: expected, ...all } = both.toJSON();
  t.same(sums, all);
  t.ok(Math.abs(mean - expected) < 1e-9 * expected);
});
