/** Figure: learning curves, a row for each task, against steps on the left and against wall-clock on the right. */
import { Axes, colours, spanOf, svg, text, thousands } from '@sim2servo/models/chart';
import type { Curve } from './measure-curve.js';

export interface MeasuredCurve extends Curve {
  readonly program: string;
  readonly task: string;
  readonly seed: number;
}

const looks: Readonly<Record<string, { readonly label: string; readonly colour: string }>> = {
  ours: { label: 'sim2servo, a line for each seed', colour: colours.blue },
  sb3: { label: 'Stable-Baselines3, likewise', colour: colours.orange },
};
const [panelWidth, panelHeight, rowHeight] = [380, 170, 262];

export function curvesFigure(curves: readonly MeasuredCurve[]): string {
  const tasks = [...new Set(curves.map(({ task }) => task))];
  const body = tasks.flatMap((task, row) => {
    const mine = curves.filter(curve => curve.task === task);
    const points = mine.flatMap(({ curve }) => curve);
    const top = 122 + row * rowHeight;
    const y = { label: 'return', ...spanOf(points.map(([, , value]) => value)) };
    return [0, 1].flatMap(column => {
      const high = Math.max(1, ...points.map(point => point[column as 0 | 1]).filter(Number.isFinite));
      const x =
        column === 0
          ? { label: 'environment steps', low: 0, high, format: thousands }
          : { label: 'seconds of training', low: 0, high };
      const axes = new Axes(x, y, {
        left: 80 + column * (panelWidth + 90),
        top,
        width: panelWidth,
        height: panelHeight,
      });
      return [
        axes.frame(),
        ...mine.map(({ program, curve }) =>
          axes.curve(
            curve.map(point => [point[column as 0 | 1], point[2]]),
            looks[program]!.colour,
          ),
        ),
        ...(column === 0 ? [text(80, top - 10, task, 'start', 14)] : []),
      ];
    });
  });
  const legend = Object.values(looks).map(({ label, colour }) => ({ label, colour, kind: 'line' as const }));
  return svg(
    2 * panelWidth + 200,
    110 + tasks.length * rowHeight,
    'SAC on Gymnasium tasks, deterministic return',
    '2×256 networks, batch 256, one update a step; mean of ten episodes every thousand steps',
    legend,
    body,
  );
}
