import { Histogram } from '@sim2servo/runtime/histogram';
import t from 'tap';
import { histogramFigure, logShares } from '../../src/report/histogram-figure.js';

function of(...values: number[]) {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.toJSON();
}

t.test('each record falls into the part of the axis where its logarithm lies', async t => {
  const shares = logShares(of(1, 1, 10, 100), -0.1, 2.9);
  t.equal(shares.length, 60);
  t.same(
    shares.flatMap((share, bin) => (share > 0 ? [[bin, share]] : [])),
    [
      [2, 0.5],
      [22, 0.25],
      [42, 0.25],
    ],
  );
});

t.test('what lies outside stands at the ends, and a time of 0 is drawn as the least', async t => {
  const shares = logShares(of(0, 1e6), 0, 1);
  t.equal(shares[0], 0.5);
  t.equal(shares.at(-1), 0.5);
});

t.test('a figure names its quantiles, and one value alone is drawn', async t => {
  const text = histogramFigure('period error', '3 times', of(5, 50, 500));
  for (const words of ['<title>period error', 'p50 50', 'p99.9 500']) t.ok(text.includes(words), words);
  t.notMatch(histogramFigure('inference', '1 time', of(7)), /NaN|Infinity/);
});

t.test('over many decades a tick stands at each of them alone, and no number has an exponent', t => {
  const labels = (...values: number[]) =>
    [...histogramFigure('read', '', of(...values)).matchAll(/>([\d.]+)</g)].map(([, label]) => label);
  t.same(labels(9, 90), ['10', '20', '50', '100']);
  t.same(labels(0.9, 90_000), ['1', '10', '100', '1000', '10000', '100000']);
  t.match(histogramFigure('read', '', of(0.9, 45_678)), /p99\.9 45700</);
  t.end();
});
