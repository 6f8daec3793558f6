/** Figure: the policy's entropy over training against its target, and the temperature that steers it. */

import { Axes, colours, decadeTicks, powerOfTen, spanOf, svg, thousands } from '@sim2servo/models/chart';
import type { MetricsLine } from '../metrics/metrics-log.js';

export function entropyFigure(metrics: readonly MetricsLine[], targetEntropy: number, subtitle: string): string {
  const series = (name: string) =>
    metrics.filter(line => line[name] !== undefined).map(line => [line['time/total_timesteps'], line[name]!] as const);
  const entropy = series('train/entropy');
  const temperature = series('train/ent_coef').map(([step, value]) => [step, Math.log10(value)] as const);
  const last = Math.max(1, ...entropy.map(([step]) => step));
  const span = spanOf(temperature.map(([, value]) => value));
  const width = 760;
  const height = 560;
  const steps = { label: 'environment steps', low: 0, high: last, format: thousands };
  const upper = new Axes(
    { ...steps, label: '' },
    { label: 'entropy (nat)', ...spanOf([...entropy.map(([, value]) => value), targetEntropy]) },
    { left: 70, top: 92, width: width - 95, height: 230 },
  );
  const lower = new Axes(
    steps,
    { label: 'temperature α', ...span, format: powerOfTen, ticks: decadeTicks(span.low, span.high) },
    { left: 70, top: 372, width: width - 95, height: 130 },
  );
  return svg(
    width,
    height,
    'Entropy over training',
    subtitle,
    [
      { label: 'entropy of the policy', colour: colours.blue, kind: 'line' },
      { label: `target ${String(targetEntropy).replace('-', '−')}`, colour: colours.grey, kind: 'dashes' },
      { label: 'temperature α (logarithmic)', colour: colours.orange, kind: 'line' },
    ],
    [
      upper.frame(),
      upper.curve(
        [
          [0, targetEntropy],
          [last, targetEntropy],
        ],
        colours.grey,
        true,
      ),
      upper.curve(entropy, colours.blue),
      lower.frame(),
      lower.curve(temperature, colours.orange),
    ],
  );
}
