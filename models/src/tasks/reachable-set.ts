/**
 * Points drawn uniformly over what the fingertip can reach, for any arm, without inverse kinematics.
 *
 * Uniform joint angles crowd the points where the Jacobian is small. So the space is cut into cells of 5 mm, many random postures
 * say which cells are reachable (and keep a few of the points found in each), and a draw takes a cell first, a point in it second.
 * For a planar arm this is the annulus that its joint ranges leave.
 */
import { fingertip } from '../kinematics.js';
import { Random } from '../random.js';
import type { RobotSpec } from '../robot-spec.js';

const cellM = 0.005;
const pointsPerCell = 8;
const postures = 150_000;
/** Goals stay off the ends of the ranges, where the shield slows the joints down. */
const marginRad = 0.1;

/** For each cell: the points kept of it, three numbers a point. */
const known = new WeakMap<RobotSpec, Float64Array[]>();

function cells(spec: RobotSpec): Float64Array[] {
  let found = known.get(spec);
  if (found !== undefined) return found;
  const random = new Random(1);
  const position = new Float64Array(spec.joints.length);
  const tip = new Float64Array(3);
  const byCell = new Map<string, number[]>();
  for (let i = 0; i < postures; i++) {
    for (let j = 0; j < position.length; j++) {
      const [low, high] = spec.joints[j]!.range;
      position[j] = random.uniform(low + marginRad, high - marginRad);
    }
    fingertip(spec, position, tip);
    const key = `${Math.floor(tip[0]! / cellM)},${Math.floor(tip[1]! / cellM)},${Math.floor(tip[2]! / cellM)}`;
    const points = byCell.get(key);
    if (points === undefined) byCell.set(key, [...tip]);
    else if (points.length < 3 * pointsPerCell) points.push(...tip);
  }
  found = [...byCell.values()].map(points => Float64Array.from(points));
  known.set(spec, found);
  return found;
}

/** @param out [3] m, written */
export function sampleReachable(spec: RobotSpec, random: Random, out: Float64Array): void {
  const all = cells(spec);
  const points = all[random.integer(all.length)]!;
  const at = 3 * random.integer(points.length / 3);
  out.set(points.subarray(at, at + 3));
}
