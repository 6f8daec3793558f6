/** Figure: return over steps. What training sees (stochastic) beside what will be deployed (deterministic), and the checkpoint that was kept. */

import { Axes, colours, spanOf, svg, text, thousands } from '@sim2servo/models/chart';
import type { MetricsLine } from '../metrics/metrics-log.js';

export function learningCurve(metrics: readonly MetricsLine[], subtitle: string): string {
  const series = (name: string) =>
    metrics.filter(line => line[name] !== undefined).map(line => [line['time/total_timesteps'], line[name]!] as const);
  const training = series('rollout/ep_rew_mean');
  const deterministic = series('eval/mean_reward');
  const stochastic = series('eval/stochastic_mean_reward');
  const all = [...training, ...deterministic, ...stochastic];
  const width = 760;
  const height = 440;
  const axes = new Axes(
    { label: 'environment steps', low: 0, high: Math.max(1, ...all.map(([step]) => step)), format: thousands },
    {
      label: 'return of an episode',
      ...spanOf(
        all.map(([, value]) => value),
        0.1,
      ),
    },
    { left: 70, top: 92, width: width - 95, height: height - 150 },
  );
  const best = deterministic.reduce<readonly [number, number] | undefined>(
    (top, point) => (top && top[1] >= point[1] ? top : point),
    undefined,
  );
  return svg(
    width,
    height,
    'Learning curve',
    subtitle,
    [
      { label: 'evaluation, deterministic', colour: colours.blue, kind: 'line' },
      { label: 'evaluation, stochastic', colour: colours.orange, kind: 'dashes' },
      { label: 'training, mean of 100 episodes', colour: colours.grey, kind: 'line' },
    ],
    [
      axes.frame(),
      axes.curve(training, colours.grey),
      axes.curve(stochastic, colours.orange, true),
      axes.curve(deterministic, colours.blue),
      ...(best
        ? [
            axes.dot(best[0], best[1], colours.blue),
            text(axes.x(best[0]), axes.y(best[1]) - 12, `best: ${best[1].toFixed(1)}`, 'end'),
          ]
        : []),
    ],
  );
}
