/** A picture of a run from above: what the arm can reach, its targets, and the way that the fingertip took to each. */
import { fingertip } from '@sim2servo/models/kinematics';
import { Random } from '@sim2servo/models/random';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { sampleReachable } from '@sim2servo/models/tasks/reachable-set';

export interface TargetTrail {
  /** [3] m */
  readonly goal: ArrayLike<number>;
  /** Joint positions tick by tick, rad. */
  readonly positions: readonly ArrayLike<number>[];
  /** Mean error at the end, mm. */
  readonly errorMm: number;
  readonly reached: boolean;
}

const size = 460;
const margin = 34;
/** Where the far end of the workspace lies, below the titles. */
const top = 66;
const reachablePoints = 6000;

/** @returns an SVG document, one panel for each entry of `panels`, side by side */
export function workspaceFigure(
  spec: RobotSpec,
  panels: readonly { readonly title: string; readonly trails: readonly TargetTrail[] }[],
): string {
  const width = panels.length * size;
  // As far behind the base as a bent arm reaches, and a line for the legend.
  const height = top + 1.4 * ((size - 2 * margin) / 2) + 44;
  const scale = (size - 2 * margin) / (2 * spec.reachM);
  const parts = panels.map((panel, i) => {
    const x = (point: ArrayLike<number>) => (i * size + size / 2 - point[1]! * scale).toFixed(1);
    const y = (point: ArrayLike<number>) => (top + (spec.reachM - point[0]!) * scale).toFixed(1);
    const random = new Random(7);
    const point = new Float64Array(3);
    let reachable = '';
    for (let n = 0; n < reachablePoints; n++) {
      sampleReachable(spec, random, point);
      reachable += `M${x(point)} ${y(point)}h0`;
    }
    const trails = panel.trails.map(trail => {
      const way = trail.positions.map(position => {
        fingertip(spec, position, point);
        return `${x(point)} ${y(point)}`;
      });
      const colour = trail.reached ? '#15803d' : '#b91c1c';
      return (
        `<path d="M${way.join('L')}" fill="none" stroke="#2563eb" stroke-width="1.2" stroke-opacity=".55"/>` +
        `<circle cx="${x(trail.goal)}" cy="${y(trail.goal)}" r="${(0.01 * scale).toFixed(1)}" fill="${colour}" fill-opacity=".18" stroke="${colour}" stroke-width="1.5"/>` +
        (way.length > 0
          ? `<circle cx="${way.at(-1)!.split(' ')[0]}" cy="${way.at(-1)!.split(' ')[1]}" r="2.2" fill="#111827"/>`
          : '')
      );
    });
    const reached = panel.trails.filter(trail => trail.reached).length;
    const mean = panel.trails.reduce((sum, trail) => sum + trail.errorMm, 0) / Math.max(1, panel.trails.length);
    const base = [0, 0, 0];
    return (
      `<text x="${i * size + size / 2}" y="24" text-anchor="middle" font-size="15" font-weight="600" fill="#111827">${panel.title}</text>` +
      `<text x="${i * size + size / 2}" y="43" text-anchor="middle" font-size="12" fill="#4b5563">${reached} of ${panel.trails.length} targets reached, mean error ${mean.toFixed(1)} mm</text>` +
      `<path d="${reachable}" stroke="#e5e7eb" stroke-width="3.4" stroke-linecap="round"/>` +
      `<circle cx="${x(base)}" cy="${y(base)}" r="6" fill="#374151"/>` +
      trails.join('')
    );
  });
  const barPx = 0.05 * scale;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">` +
    `<rect width="${width}" height="${height}" fill="#fff"/>${parts.join('')}` +
    `<path d="M20 ${height - 22}h${barPx.toFixed(1)}" stroke="#111827" stroke-width="2"/>` +
    `<text x="20" y="${height - 8}" font-size="11" fill="#4b5563">50 mm</text>` +
    `<text x="${width - 16}" y="${height - 10}" text-anchor="end" font-size="11" fill="#4b5563">circles: targets, 10 mm around; dots: where the fingertip ended; grey: what the arm can reach</text></svg>\n`
  );
}
