/** Where the fingertip is, from the frames of the spec alone: no simulator on the robot. Checked against MuJoCo in `sim`. */
import type { RobotSpec } from './robot-spec.js';

interface Pose {
  /** Row-major rotation of the frame in the base. */
  readonly rotation: Float64Array;
  readonly origin: Float64Array;
}

/** Poses are scratch of one call; a spec's frame count never changes, so nothing is allocated after the first call. */
const scratch = new WeakMap<
  RobotSpec,
  { poses: Pose[]; parents: number[]; joints: number[]; axes: Float64Array[]; moving: boolean[] }
>();

function prepared(spec: RobotSpec) {
  let found = scratch.get(spec);
  if (found === undefined) {
    found = {
      poses: spec.frames.map(() => ({ rotation: new Float64Array(9), origin: new Float64Array(3) })),
      parents: spec.frames.map(f => spec.frames.findIndex(other => other.name === f.parent)),
      joints: spec.frames.map(f => spec.joints.findIndex(j => j.name === f.joint)),
      moving: spec.joints.map(j => spec.frames.some(f => f.joint === j.name)),
      axes: spec.frames.map(f => Float64Array.from(f.axis, part => part / Math.hypot(...f.axis))),
    };
    scratch.set(spec, found);
  }
  return found;
}

const base: Pose = { rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), origin: new Float64Array(3) };

/** All frames at `position`, in the scratch of the spec. */
function place(spec: RobotSpec, position: ArrayLike<number>): readonly Pose[] {
  const { poses, parents, joints, axes } = prepared(spec);
  for (let f = 0; f < poses.length; f++) {
    const frame = spec.frames[f]!;
    const parent = parents[f]! < 0 ? base : poses[parents[f]!]!;
    const pose = poses[f]!;
    const R = parent.rotation;
    const t = frame.translationM;
    for (let row = 0; row < 3; row++)
      pose.origin[row] = parent.origin[row]! + R[3 * row]! * t[0] + R[3 * row + 1]! * t[1] + R[3 * row + 2]! * t[2];
    const joint = joints[f]!;
    if (joint < 0) pose.rotation.set(R);
    else rotate(R, axes[f]!, position[joint]!, pose.rotation);
  }
  return poses;
}

/**
 * The last frame's origin in the base frame.
 *
 * @param position [joints] in rad
 * @param out      [3] in m
 */
export function fingertip(spec: RobotSpec, position: ArrayLike<number>, out: Float64Array): void {
  const poses = place(spec, position);
  out.set(poses[poses.length - 1]!.origin);
}

/**
 * A vector of the base frame along the axes of the first frame, as its joint has turned it.
 *
 * @param position [joints] in rad
 * @param vector   [3]
 * @param out      [3], not `vector`
 */
export function alongFirstFrame(
  spec: RobotSpec,
  position: ArrayLike<number>,
  vector: ArrayLike<number>,
  out: Float64Array,
): void {
  const R = place(spec, position)[0]!.rotation;
  for (let i = 0; i < 3; i++) out[i] = R[i]! * vector[0]! + R[3 + i]! * vector[1]! + R[6 + i]! * vector[2]!;
}

/** Whether joint `j` turns any frame: a gripper's does not. */
export function movesFingertip(spec: RobotSpec, j: number): boolean {
  return prepared(spec).moving[j]!;
}

/** Whether a posture lies inside the spec's workspace. */
export function insideWorkspace(spec: RobotSpec, position: ArrayLike<number>): boolean {
  const { workspace } = spec;
  if (workspace === undefined) return true;
  const poses = place(spec, position);
  if (poses.some(({ origin }) => origin[2]! < workspace.floorM)) return false;
  const first = poses[0]!.origin;
  const last = poses[poses.length - 1]!.origin;
  return Math.hypot(last[0]! - first[0]!, last[1]! - first[1]!) >= workspace.columnM;
}

/** out = R · rotation by `angle` about the unit vector `axis` (Rodrigues). */
function rotate(R: Float64Array, axis: Float64Array, angle: number, out: Float64Array): void {
  const x = axis[0]!;
  const y = axis[1]!;
  const z = axis[2]!;
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const v = 1 - c;
  const m00 = c + x * x * v;
  const m01 = x * y * v - z * s;
  const m02 = x * z * v + y * s;
  const m10 = y * x * v + z * s;
  const m11 = c + y * y * v;
  const m12 = y * z * v - x * s;
  const m20 = z * x * v - y * s;
  const m21 = z * y * v + x * s;
  const m22 = c + z * z * v;
  for (let row = 0; row < 3; row++) {
    const a = R[3 * row]!;
    const b = R[3 * row + 1]!;
    const d = R[3 * row + 2]!;
    out[3 * row] = a * m00 + b * m10 + d * m20;
    out[3 * row + 1] = a * m01 + b * m11 + d * m21;
    out[3 * row + 2] = a * m02 + b * m12 + d * m22;
  }
}

const tip = new Float64Array(3);

/** Distance between the fingertip at `position` and `goal`, in m. */
export function fingertipErrorM(spec: RobotSpec, position: ArrayLike<number>, goal: ArrayLike<number>): number {
  fingertip(spec, position, tip);
  return Math.hypot(tip[0]! - goal[0]!, tip[1]! - goal[1]!, tip[2]! - goal[2]!);
}
