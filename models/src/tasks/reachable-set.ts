/**
 * Points drawn uniformly over what the fingertip can reach, for any arm, without inverse kinematics.
 *
 * Uniform joint angles crowd the points where the Jacobian is small. So the space is cut into cells, many random postures say which
 * cells are reachable (and keep a few of the points found in each), and a draw takes a cell first, a point in it second. For a planar
 * arm this is the annulus that its joint ranges leave. What stays unequal: a cell that the rim cuts counts like a whole one, so cells
 * are as small as the postures can fill.
 */
import { fingertip } from '../kinematics.js';
import { Random } from '../random.js';
import type { RobotSpec } from '../robot-spec.js';

const smallestCellM = 0.0025;
const pointsPerCell = 8;
const postures = 150_000;
/** An arm that moves in space reaches more cells than a planar one: they grow until this many postures fall into one on average. */
const posturesPerCell = 10;
/** Goals stay off the ends of the ranges, where the shield slows the joints down. */
const marginRad = 0.1;

/** For each cell: the points kept of it, three numbers a point. */
const known = new WeakMap<RobotSpec, Float64Array[]>();

function cells(spec: RobotSpec): Float64Array[] {
  let found = known.get(spec);
  if (found !== undefined) return found;
  const tips = fingertips(spec);
  let cellM = smallestCellM;
  for (found = cut(tips, cellM); found.length * posturesPerCell > postures; found = cut(tips, cellM)) cellM *= 2;
  known.set(spec, found);
  return found;
}

/** The fingertip in many random postures: [postures × 3]. */
function fingertips(spec: RobotSpec): Float64Array {
  const random = new Random(1);
  const position = new Float64Array(spec.joints.length);
  const tips = new Float64Array(3 * postures);
  for (let i = 0; i < postures; i++) {
    for (let j = 0; j < position.length; j++) {
      const [low, high] = spec.joints[j]!.range;
      // A joint with a range that is all margin stays in its middle.
      const margin = Math.min(marginRad, (high - low) / 2);
      position[j] = random.uniform(low + margin, high - margin);
    }
    fingertip(spec, position, tips.subarray(3 * i, 3 * i + 3));
  }
  return tips;
}

function cut(tips: Float64Array, cellM: number): Float64Array[] {
  const byCell = new Map<string, number[]>();
  for (let i = 0; i < tips.length; i += 3) {
    const x = tips[i]!;
    const y = tips[i + 1]!;
    const z = tips[i + 2]!;
    const key = `${Math.floor(x / cellM)},${Math.floor(y / cellM)},${Math.floor(z / cellM)}`;
    const points = byCell.get(key);
    if (points === undefined) byCell.set(key, [x, y, z]);
    else if (points.length < 3 * pointsPerCell) points.push(x, y, z);
  }
  return [...byCell.values()].map(points => Float64Array.from(points));
}

/** @param out [3] m, written */
export function sampleReachable(spec: RobotSpec, random: Random, out: Float64Array): void {
  const all = cells(spec);
  const points = all[random.integer(all.length)]!;
  const at = 3 * random.integer(points.length / 3);
  out.set(points.subarray(at, at + 3));
}
