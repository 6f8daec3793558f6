/**
 * Figure: how often each joint's action took which value, as a histogram per joint.
 *
 * A policy that lives at ±1 saturates (scale too small, or bang-bang); one that lives in a sliver around 0 has a scale that is far too large
 * (the mistake that made SAC fail in araffin's massively parallel study).
 */
import { Axes, colours, svg, text } from '@sim2servo/models/chart';

const bins = 41;
/** Actions beyond this count as saturated. */
const saturated = 0.99;

/** Share of the actions in each of the bins of −1 … 1. */
export function histogram(actions: Float32Array, joint: number, joints: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  const rows = actions.length / joints;
  for (let row = 0; row < rows; row++) {
    const bin = Math.floor(((actions[row * joints + joint]! + 1) / 2) * bins);
    counts[Math.max(0, Math.min(bins - 1, bin))]! += 1 / rows;
  }
  return counts;
}

/** @param actions [n, joints] executed, in −1 … 1 */
export function actionUsage(actions: Float32Array, joints: readonly string[], subtitle: string): string {
  const panels = joints.map((name, joint) => {
    const shares = histogram(actions, joint, joints.length);
    const rows = actions.length / joints.length;
    let atEnds = 0;
    for (let row = 0; row < rows; row++) if (Math.abs(actions[row * joints.length + joint]!) > saturated) atEnds++;
    return { name, shares, saturation: rows > 0 ? atEnds / rows : 0 };
  });
  const high = Math.max(0.02, ...panels.flatMap(panel => panel.shares)) * 1.12;
  const columns = Math.min(2, joints.length);
  const cell = { width: 380, height: 300 };
  const width = columns * cell.width;
  const height = 60 + Math.ceil(joints.length / columns) * cell.height;
  const body = panels.flatMap(({ name, shares, saturation }, i) => {
    const left = (i % columns) * cell.width + 70;
    const top = 60 + Math.floor(i / columns) * cell.height + 44;
    const axes = new Axes(
      { label: 'executed action', low: -1, high: 1 },
      { label: 'share of steps', low: 0, high, format: value => `${Number((value * 100).toFixed(1))} %` },
      { left, top, width: cell.width - 95, height: cell.height - 100 },
    );
    return [
      axes.frame(),
      text(left, top - 12, name, 'start', 14),
      text(left + cell.width - 95, top - 12, `${(saturation * 100).toFixed(1)} % at ±1`, 'end', 12, colours.grey),
      ...shares.map((share, bin) => axes.bar(-1 + (2 * bin) / bins, -1 + (2 * (bin + 1)) / bins, share, colours.blue)),
    ];
  });
  return svg(width, height, 'Action usage per joint', subtitle, [], body);
}
