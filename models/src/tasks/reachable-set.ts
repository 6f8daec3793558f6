/**
 * Points drawn uniformly over what the fingertip can reach, for any arm, without inverse kinematics.
 *
 * Uniform joint angles crowd the points where the Jacobian is small. So the space is cut into cells, many random postures say which
 * cells are reachable (and keep a few of those found in each), and a draw takes a cell first, a posture in it second. For a planar
 * arm this is the annulus that its joint ranges leave. What stays unequal: a cell that the rim cuts counts like a whole one, so cells
 * are as small as the postures can fill.
 */
import { KitError } from '../error.js';
import { fingertip, insideWorkspace } from '../kinematics.js';
import { Random } from '../random.js';
import type { RobotSpec } from '../robot-spec.js';

const smallestCellM = 0.0025;
const keptPerCell = 8;
const postures = 150_000;
/** An arm that moves in space reaches more cells than a planar one: they grow until this many postures fall into one on average. */
const posturesPerCell = 10;
/** Goals stay off the ends of the ranges, where the shield slows the joints down. */
const marginRad = 0.1;
/** A workspace that fewer of the postures than this lie in is a mistake. */
const maxTries = 10_000;

interface Cells {
  readonly cellM: number;
  /** By cell: which of the postures were kept of it. */
  readonly byKey: ReadonlyMap<number, readonly number[]>;
  /** The same as a list, to draw from. */
  readonly kept: readonly (readonly number[])[];
  /** [postures × joints] rad. */
  readonly postures: Float64Array;
}

const known = new WeakMap<RobotSpec, Cells>();

function cells(spec: RobotSpec): Cells {
  let found = known.get(spec);
  if (found !== undefined) return found;
  const random = new Random(1);
  const joints = spec.joints.length;
  const all = new Float64Array(joints * postures);
  const tips = new Float64Array(3 * postures);
  for (let i = 0; i < postures; i++) {
    const position = all.subarray(joints * i, joints * (i + 1));
    samplePosture(spec, random, marginRad, position);
    fingertip(spec, position, tips.subarray(3 * i, 3 * i + 3));
  }
  let cellM = smallestCellM;
  while (cellCount(tips, cellM) * posturesPerCell > postures) cellM *= 2;
  const byKey = cut(tips, cellM);
  found = { cellM, byKey, kept: [...byKey.values()], postures: all };
  known.set(spec, found);
  return found;
}

/**
 * A posture drawn uniformly over the joints' ranges, inside the workspace.
 *
 * @param marginRad kept from the ends of each range; a joint with a range that is all margin stays in its middle
 * @param out       [joints] rad, written
 * @throws KitError E_WORKSPACE_EMPTY
 */
export function samplePosture(spec: RobotSpec, random: Random, marginRad: number, out: Float64Array): void {
  for (let tries = 0; tries < maxTries; tries++) {
    for (let j = 0; j < out.length; j++) {
      const [low, high] = spec.joints[j]!.range;
      const margin = Math.min(marginRad, (high - low) / 2);
      out[j] = random.uniform(low + margin, high - margin);
    }
    if (insideWorkspace(spec, out)) return;
  }
  throw new KitError(
    'E_WORKSPACE_EMPTY',
    `none of ${maxTries} random postures of ${spec.name} lies inside its workspace`,
    'lower floorM or columnM of workspace in robot.json',
    'usage',
  );
}

/** Cells along each axis that a key can tell apart, from the negative half to the positive: 160 m of the smallest. */
const axisCells = 2 ** 16;

/** Of the cell that a point lies in: one number, since a hundred thousand short texts would be most of what a robot's memory holds. */
function keyOf(x: number, y: number, z: number, cellM: number): number {
  const along = (axisM: number) => Math.floor(axisM / cellM) + axisCells / 2;
  return (along(x) * axisCells + along(y)) * axisCells + along(z);
}

/** Without a map: what does not become the set leaves nothing behind for the garbage collector. */
function cellCount(tips: Float64Array, cellM: number): number {
  const keys = new Float64Array(tips.length / 3);
  for (let i = 0; i < keys.length; i++) keys[i] = keyOf(tips[3 * i]!, tips[3 * i + 1]!, tips[3 * i + 2]!, cellM);
  keys.sort();
  let count = 0;
  for (let i = 0; i < keys.length; i++) if (i === 0 || keys[i] !== keys[i - 1]) count++;
  return count;
}

/** @returns by cell: the numbers of a few of the tips in it */
function cut(tips: Float64Array, cellM: number): Map<number, number[]> {
  const byCell = new Map<number, number[]>();
  for (let i = 0; i < tips.length / 3; i++) {
    const key = keyOf(tips[3 * i]!, tips[3 * i + 1]!, tips[3 * i + 2]!, cellM);
    const kept = byCell.get(key);
    if (kept === undefined) byCell.set(key, [i]);
    else if (kept.length < keptPerCell) kept.push(i);
  }
  return byCell;
}

/** A posture whose fingertip is drawn so: [joints] rad, not to be written. */
export function sampleReachablePosture(spec: RobotSpec, random: Random): Float64Array {
  const { kept, postures } = cells(spec);
  const cell = kept[random.integer(kept.length)]!;
  const joints = spec.joints.length;
  const at = joints * cell[random.integer(cell.length)]!;
  return postures.subarray(at, at + joints);
}

/** @param out [3] m, written */
export function sampleReachable(spec: RobotSpec, random: Random, out: Float64Array): void {
  fingertip(spec, sampleReachablePosture(spec, random), out);
}

/** Whether the fingertip reaches the cell that `point` ([3] m) lies in. */
export function isReachable(spec: RobotSpec, point: ArrayLike<number>): boolean {
  const { byKey, cellM } = cells(spec);
  return byKey.has(keyOf(point[0]!, point[1]!, point[2]!, cellM));
}
