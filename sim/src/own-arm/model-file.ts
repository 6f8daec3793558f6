/**
 * A URDF or MJCF file as MuJoCo understands it: bodies, joints, primitives and places at the posture where every joint is at 0, as plain
 * records in the world's axes.
 *
 * Only what an arm is made of is compiled. Meshes, height fields, textures, actuators, sensors and the like are taken out first, so that a
 * model can be read without the files that it names; which geometry that cost is said.
 */
import { readFileSync } from 'node:fs';
import type { MainModule, MjModel, MjSpec, MjsElement, mjtObj } from '@mujoco/mujoco';
import { KitError, messageOf } from '@sim2servo/models/error';
import { mujocoModule, nameOf } from '../mujoco-world.js';
import type { Vector } from './arm-plan.js';

export interface ModelBody {
  readonly name: string;
  /** Index; the world, which is the first, is its own. */
  readonly parent: number;
  readonly isMocap: boolean;
  readonly positionM: Vector;
  /** Next to nothing where the model gives none. */
  readonly massKg: number;
  readonly comM: Vector;
  /** Row-major 3 × 3 about the centre of mass. */
  readonly inertia: readonly number[];
}

export interface ModelJoint {
  readonly name: string;
  readonly body: number;
  readonly kind: 'free' | 'ball' | 'slide' | 'hinge';
  readonly axis: Vector;
  readonly anchorM: Vector;
  /** Absent: it turns for ever. */
  readonly range?: readonly [number, number];
}

export interface ModelGeom {
  readonly body: number;
  readonly type: 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box';
  /** As MJCF has it. */
  readonly size: readonly number[];
  readonly positionM: Vector;
  /** Its own x and y axis. */
  readonly xyAxes: readonly number[];
  readonly collides: boolean;
  readonly rgba: readonly number[];
}

export interface ModelTree {
  readonly bodies: readonly ModelBody[];
  readonly joints: readonly ModelJoint[];
  readonly geoms: readonly ModelGeom[];
  readonly sites: readonly { readonly name: string; readonly body: number; readonly positionM: Vector }[];
  /** Geometry that was left out, by name. */
  readonly leftOut: readonly string[];
  /** What the model ties together: the names of the joints; none: bodies, which closes a chain. */
  readonly ties: readonly (readonly string[])[];
}

/** mjtJoint and mjtGeom, in their order; mjtGeom's size has as many numbers as MJCF wants. */
const jointKinds = ['free', 'ball', 'slide', 'hinge'] as const;
const geomTypes = {
  2: ['sphere', 1],
  3: ['capsule', 2],
  4: ['ellipsoid', 3],
  5: ['cylinder', 2],
  6: ['box', 3],
} as const;
/** So that a model whose links have no weight compiles. It says so of itself where it matters. */
const weightlessKg = 1e-9;
const weightlessKgM2 = 1e-12;

/** @throws KitError E_ARM_MODEL */
export async function readModelFile(path: string): Promise<ModelTree> {
  const mujoco = await mujocoModule();
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
    const spec = mujoco.parseXMLString(text);
    try {
      const leftOut = strip(mujoco, spec);
      const { compiler } = spec;
      compiler.fusestatic = false;
      compiler.balanceinertia = true;
      compiler.boundmass = weightlessKg;
      compiler.boundinertia = weightlessKgM2;
      const model = mujoco.mj_compile(spec);
      try {
        return treeOf(mujoco, model, leftOut);
      } finally {
        model.delete();
      }
    } finally {
      spec.delete();
    }
  } catch (error) {
    throw new KitError(
      'E_ARM_MODEL',
      `MuJoCo can't read ${path}: ${messageOf(error)
        .trim()
        .replace(/\s*\n\s*/g, ' ')}`,
      text.includes('xacro:')
        ? 'it is a xacro template: expand it first (xacro arm.urdf.xacro > arm.urdf)'
        : 'mend the file, or give another one: a URDF or MJCF file of the arm itself',
      'usage',
      { cause: error },
    );
  }
}

/** Takes out what needs other files, and what needs that. */
function strip(mujoco: MainModule, spec: MjSpec): string[] {
  const { mjtObj } = mujoco;
  const all = (type: mjtObj) => {
    const found: MjsElement[] = [];
    for (let at = mujoco.mjs_firstElement(spec, type); at !== undefined; at = mujoco.mjs_nextElement(spec, at))
      found.push(at);
    return found;
  };
  const leftOut: string[] = [];
  const doomed: MjsElement[] = [];
  for (const element of all(mjtObj.mjOBJ_GEOM)) {
    const geom = mujoco.mjs_asGeom(element)!;
    geom.material = '';
    const source = geom.meshname || geom.hfieldname;
    if (source === '') continue;
    leftOut.push(source);
    doomed.push(element);
  }
  for (const element of all(mjtObj.mjOBJ_SITE)) mujoco.mjs_asSite(element)!.material = '';
  const { mjOBJ_KEY, mjOBJ_SENSOR, mjOBJ_ACTUATOR, mjOBJ_TENDON, mjOBJ_PAIR, mjOBJ_TUPLE, mjOBJ_SKIN } = mjtObj;
  const { mjOBJ_MATERIAL, mjOBJ_TEXTURE, mjOBJ_MESH, mjOBJ_HFIELD } = mjtObj;
  for (const type of [mjOBJ_KEY, mjOBJ_SENSOR, mjOBJ_ACTUATOR, mjOBJ_TENDON, mjOBJ_PAIR, mjOBJ_TUPLE, mjOBJ_SKIN])
    doomed.push(...all(type));
  for (const type of [mjOBJ_MATERIAL, mjOBJ_TEXTURE, mjOBJ_MESH, mjOBJ_HFIELD]) doomed.push(...all(type));
  for (const element of doomed) mujoco.mjs_delete(spec, element);
  return [...new Set(leftOut)];
}

function treeOf(mujoco: MainModule, model: MjModel, leftOut: readonly string[]): ModelTree {
  const data = new mujoco.MjData(model);
  try {
    data.qpos.fill(0);
    mujoco.mj_kinematics(model, data);
    mujoco.mj_comPos(model, data);
    const vector = (values: ArrayLike<number>, i: number): Vector => [
      values[3 * i]!,
      values[3 * i + 1]!,
      values[3 * i + 2]!,
    ];
    const count = (n: number) => Array.from({ length: n }, (_, i) => i);
    const bodies = count(model.nbody).map(
      (b): ModelBody => ({
        name: nameOf(model, model.name_bodyadr, b),
        parent: model.body_parentid[b],
        isMocap: model.body_mocapid[b] >= 0,
        positionM: vector(data.xpos, b),
        massKg: model.body_mass[b],
        comM: vector(data.xipos, b),
        inertia: turnedInertia(data.ximat.slice(9 * b, 9 * b + 9), vector(model.body_inertia, b)),
      }),
    );
    const joints = count(model.njnt).map((j): ModelJoint => {
      const range: [number, number] = [model.jnt_range[2 * j], model.jnt_range[2 * j + 1]];
      return {
        name: nameOf(model, model.name_jntadr, j),
        body: model.jnt_bodyid[j],
        kind: jointKinds[model.jnt_type[j] as 0 | 1 | 2 | 3],
        axis: vector(data.xaxis, j),
        anchorM: vector(data.xanchor, j),
        // Without a limit both are 0.
        ...(range[0] < range[1] ? { range } : {}),
      };
    });
    const geoms = count(model.ngeom).flatMap((g): ModelGeom[] => {
      const known = geomTypes[model.geom_type[g] as keyof typeof geomTypes];
      if (known === undefined) return [];
      const axes: ArrayLike<number> = data.geom_xmat.slice(9 * g, 9 * g + 9);
      return [
        {
          body: model.geom_bodyid[g],
          type: known[0],
          size: vector(model.geom_size, g).slice(0, known[1]),
          positionM: vector(data.geom_xpos, g),
          xyAxes: [0, 3, 6, 1, 4, 7].map(i => axes[i]!),
          collides: model.geom_contype[g] !== 0 || model.geom_conaffinity[g] !== 0,
          rgba: [...model.geom_rgba.slice(4 * g, 4 * g + 4)],
        },
      ];
    });
    const sites = count(model.nsite).map(s => ({
      name: nameOf(model, model.name_siteadr, s),
      body: model.site_bodyid[s] as number,
      positionM: vector(data.site_xpos, s),
    }));
    const ties = count(model.neq).map(e =>
      model.eq_type[e] === mujoco.mjtEq.mjEQ_JOINT.value
        ? [model.eq_obj1id[e], model.eq_obj2id[e]].filter(j => j >= 0).map(j => nameOf(model, model.name_jntadr, j))
        : [],
    );
    const whole = [...bodies.flatMap(numbersOf), ...joints.flatMap(numbersOf), ...sites.flatMap(numbersOf)];
    const broken = whole.find(([, numbers]) => !numbers.every(Number.isFinite));
    if (broken !== undefined) throw new Error(`'${broken[0]}' has a number that is none`);
    return { bodies, joints, geoms, sites, leftOut, ties };
  } finally {
    data.delete();
  }
}

/** A thing's name and all its numbers. MuJoCo lets NaN through in places. */
function numbersOf(thing: { readonly name: string }): [string, number[]][] {
  const numbers = Object.values(thing).flatMap((value: unknown) => (Array.isArray(value) ? value : [value]));
  return [[thing.name, numbers.filter(value => typeof value === 'number')]];
}

/** R · diag(moments) · Rᵀ */
function turnedInertia(R: ArrayLike<number>, moments: Vector): number[] {
  return Array.from({ length: 9 }, (_, i) => {
    const row = Math.floor(i / 3);
    const column = i % 3;
    return moments.reduce((sum, moment, k) => sum + moment * R[3 * row + k]! * R[3 * column + k]!, 0);
  });
}
