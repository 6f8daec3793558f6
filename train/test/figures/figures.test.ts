import { decadeTicks } from '@sim2servo/models/chart';
import t from 'tap';
import { actionUsage, histogram } from '../../src/figures/action-usage.js';
import { entropyFigure } from '../../src/figures/entropy.js';
import { learningCurve } from '../../src/figures/learning-curve.js';
import type { MetricsLine } from '../../src/metrics/metrics-log.js';

const metrics = Array.from(
  { length: 20 },
  (_, i): MetricsLine => ({
    'time/total_timesteps': i * 1000,
    'rollout/ep_rew_mean': i - 10,
    ...(i % 4 === 0 && { 'eval/mean_reward': i, 'eval/stochastic_mean_reward': i - 2 }),
    ...(i > 2 && { 'train/entropy': 2 - i / 5, 'train/ent_coef': 1 / i }),
  }),
);

const curves = (figure: string) =>
  [...figure.matchAll(/<path d="(M[^"]*)" fill="none" stroke="([^"]*)" stroke-width="2"/g)].map(
    match => match[1]!.split('L').length,
  );

t.test('the learning curve draws every series with all its points, and marks the best evaluation', t => {
  const figure = learningCurve(metrics, 'desk2 reach');
  t.strictSame(curves(figure), [20, 5, 5]);
  t.match(figure, 'best: 16.0');
  t.match(figure, 'environment steps');
  t.match(figure, 'return of an episode');
  t.match(figure, 'evaluation, deterministic');
  t.end();
});

t.test('the entropy figure shows entropy, target and temperature', t => {
  const figure = entropyFigure(metrics, -2, 'desk2 reach');
  t.strictSame(curves(figure), [2, 17, 17]);
  t.match(figure, 'target −2');
  t.match(figure, 'entropy (nat)');
  t.end();
});

t.test('ticks of the temperature stand at 1, 2 and 5 of each decade', t => {
  t.strictSame(
    decadeTicks(-2, -0.9).map(exponent => Number((10 ** exponent).toPrecision(3))),
    [0.01, 0.02, 0.05, 0.1],
  );
  t.end();
});

t.test('a histogram counts each action once, the ends included', t => {
  const shares = histogram(Float32Array.of(-1, 1, 0, 0, 1, -1, 0.999, 0), 0, 2);
  t.equal(shares[0], 0.25);
  t.equal(shares[20], 0.25);
  t.equal(shares[40], 0.5);
  t.equal(
    shares.reduce((sum, share) => sum + share, 0),
    1,
  );
  t.end();
});

t.test('action usage has a panel for each joint, with its saturation', t => {
  const actions = Float32Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 1 : i % 3 === 1 ? 0 : -0.5));
  const figure = actionUsage(actions, ['base', 'shoulder', 'elbow'], 'three joints');
  for (const joint of ['base', 'shoulder', 'elbow']) t.match(figure, `>${joint}<`);
  t.match(figure, '100.0 % at ±1');
  t.equal([...figure.matchAll(/<rect x=/g)].length, 3 * 41);
  t.end();
});

t.test('a run without a single line still gives figures', t => {
  t.match(learningCurve([], 'nothing yet'), '</svg>');
  t.match(entropyFigure([], -2, 'nothing yet'), '</svg>');
  t.match(actionUsage(new Float32Array(0), ['a'], 'nothing yet'), '</svg>');
  t.end();
});
