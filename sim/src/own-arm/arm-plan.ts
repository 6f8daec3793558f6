/**
 * An arm that a robot folder is about to be written of: what answers and model files are both turned into.
 *
 * Everything stands in the base's axes, at the posture where every joint is at 0. So no link has a rotation of its own, as robot.json's
 * frames have none: one that a model gives is in the axes.
 */

import type { OwnBus, ServoModelName } from '@sim2servo/models/arm-answers';
import { KitError } from '@sim2servo/models/error';

export type Vector = readonly [number, number, number];

/** A geom's attributes as MJCF has them, in the link's frame. */
export type PlannedGeom = Readonly<Record<string, string | number | readonly number[]>>;

export interface PlannedLink {
  readonly name: string;
  readonly geoms: readonly PlannedGeom[];
  /** Absent: MuJoCo takes it from the geoms. `inertia`: xx yy zz xy xz yz about the centre of mass, kg·m². */
  readonly inertial?: { readonly massKg: number; readonly comM: Vector; readonly inertia: readonly number[] };
}

export interface PlannedJoint {
  readonly name: string;
  /** Index of the joint whose link carries it; −1: the base. Always lower than its own. */
  readonly parent: number;
  readonly axis: Vector;
  /** Of the axis, from the parent's. */
  readonly originM: Vector;
  readonly rangeRad: readonly [number, number];
  readonly homeRad: number;
  readonly servo: ServoModelName;
  readonly id: number;
  /** What it turns. */
  readonly link: PlannedLink;
}

export interface ArmPlan {
  readonly name: string;
  /** Where it comes from, for the comment at the top of the scene. */
  readonly source: string;
  readonly bus: OwnBus;
  readonly joints: readonly PlannedJoint[];
  readonly fingertip: { readonly parent: number; readonly offsetM: Vector };
  readonly baseGeoms: readonly PlannedGeom[];
  readonly loadKg: number;
  /** What was assumed or left out, in words. */
  readonly notes: readonly string[];
}

/** The joints that move the fingertip, from the base on: indices. */
export function chainOf({ joints, fingertip }: Pick<ArmPlan, 'joints' | 'fingertip'>): number[] {
  const chain: number[] = [];
  for (let at = fingertip.parent; at >= 0; at = joints[at]!.parent) chain.unshift(at);
  return chain;
}

export function isVertical([x, y]: Vector): boolean {
  return Math.hypot(x, y) < 1e-9;
}

/** Links that only vertical axes turn stay at their height: the desk is no matter for them, and one that lies in it would stick there. */
export function mayTouchDesk(joints: readonly Pick<PlannedJoint, 'parent' | 'axis'>[], joint: number): boolean {
  for (let at = joint; at >= 0; at = joints[at]!.parent) if (!isVertical(joints[at]!.axis)) return true;
  return false;
}

const rodKgPerM = 0.45;
const leastRodKg = 0.005;
const rodRadiusM = 0.01;

/** A printed rod from a link's origin to `to`, of the weight of such; a ball where that is no way to go. */
export function rod(name: string, to: Vector, massKg?: number): PlannedGeom {
  const lengthM = Math.hypot(...to);
  const mass = massKg ?? Math.max(leastRodKg, rodKgPerM * lengthM);
  const size = Math.min(rodRadiusM, Math.max(0.004, lengthM / 5));
  if (lengthM < 2 * rodRadiusM) return { name, type: 'sphere', size: rodRadiusM, mass };
  return { name, type: 'capsule', fromto: [0, 0, 0, ...to], size, mass };
}

const nameRule = /^[a-z][a-z0-9-]*$/;
/** Bodies and geoms that every scene has, and the last frame. */
const taken = ['world', 'payload', 'goal', 'fingertip', 'base', 'desk', 'load'];

/** `Shoulder_Pan.1` → `shoulder-pan-1`: a name as robot.json has them. */
export function robotName(text: string, kind: 'robot' | 'joint' | 'link'): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  if (nameRule.test(plain) && !(kind === 'link' && taken.includes(plain))) return plain;
  return plain === '' ? kind : `${kind}-${plain}`;
}

/** What is wrong with what was said of an arm. */
export function refusedArm(what: string, hint: string): KitError {
  return new KitError('E_ARM_ANSWERS', what, hint, 'usage');
}
