/**
 * A model's arm as a plan: the hinges on the way to the fingertip, and those of the hand. What has no joint between is one link. A servo
 * turns one hinge, so whatever else moves in the model is refused, or told to stay (`fixed`).
 */
import type { FullModelAnswers, OwnBus, ServoModelName } from '@sim2servo/models/arm-answers';
import { servoModels } from '../servo-models.js';
import { chosenServos, rangeRad, restOf, usualLoadKg } from './answers.js';
import {
  type ArmPlan,
  chainOf,
  type PlannedGeom,
  type PlannedJoint,
  type PlannedLink,
  refusedArm,
  robotName,
  rod,
  type Vector,
} from './arm-plan.js';
import type { ModelBody, ModelJoint, ModelTree } from './model-file.js';

/** A model that gives a link less than this gives it none. */
const weightlessKg = 1e-6;
/** Of a joint without a range, either way. A hobby servo has half a turn, a counted one a whole one. */
const endlessRad = { 'hobby-pwm': 1.5, feetech: 3, dynamixel: 3 } as const;
/** The body that the kit's own scenes have for the load. */
const loadBody = 'payload';

/** Digits that are kept of axes and of places in m: an arm is no better than a µm. */
const axisDigits = 6;
const placeDigits = 6;
/** Models say 1.5708 where they mean a right angle. */
const squareTo = 1e-4;

const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const rounded = (v: Vector, digits: number): Vector => {
  const [x, y, z] = v.map(part => Number(part.toFixed(digits)) + 0);
  return [x!, y!, z!];
};
/** A number of an axis. */
function squared(part: number): number {
  const whole = Math.round(part);
  return (Math.abs(part - whole) < squareTo ? whole : Number(part.toFixed(axisDigits))) + 0;
}
const nowhere: Vector = [0, 0, 0];

/** Places that joints move and that so can be a fingertip, the likely ones first: sites, bodies at the end of a branch, others. */
export function fingertipsOf({ bodies, joints, sites }: ModelTree): string[] {
  const moves = bodies.map(() => false);
  for (const [b, { parent }] of bodies.entries()) moves[b] = moves[parent]! || joints.some(({ body }) => body === b);
  const moving = bodies.filter((_, b) => moves[b]);
  const ends = moving.filter(body => !moving.some(({ parent }) => bodies[parent] === body));
  const others = moving.filter(body => !ends.includes(body));
  return [...sites.filter(({ body }) => moves[body]), ...ends, ...others].map(({ name }) => name);
}

function placeOf(tree: ModelTree, name: string | undefined): { readonly body: number; readonly positionM: Vector } {
  const wanted = name ?? 'fingertip';
  const site = tree.sites.find(place => place.name === wanted);
  if (site !== undefined) return site;
  const body = tree.bodies.findIndex(place => place.name === wanted);
  if (body > 0) return { body, positionM: tree.bodies[body]!.positionM };
  throw refusedArm(
    name === undefined
      ? 'the model does not say which place is the fingertip'
      : `the model has no site or body '${name}'`,
    `name one with --fingertip, such as ${fingertipsOf(tree).slice(0, 8).join(', ')}`,
  );
}

/** By its name in the model, or the one that it gets. */
const isCalled = ({ name }: ModelJoint, said: string) => name === said || robotName(name, 'joint') === said;

/** The joints that servos turn, in the model's order. */
function movingJoints(tree: ModelTree, fixed: readonly string[]): ModelJoint[] {
  for (const name of fixed)
    if (!tree.joints.some(joint => isCalled(joint, name)))
      throw refusedArm(
        `the model has no joint '${name}' that could stay fixed`,
        `its joints are: ${tree.joints.map(joint => joint.name).join(', ')}`,
      );
  const moving = tree.joints.filter(joint => !fixed.some(name => isCalled(joint, name)));
  for (const { name, kind } of moving)
    if (kind !== 'hinge')
      throw refusedArm(
        `joint '${name}' is a ${kind} joint, and a servo turns a hinge`,
        kind === 'free'
          ? 'give the arm without what it stands on'
          : `take it out, or leave it where it is: --fixed ${name}`,
      );
  if (moving.length === 0) throw refusedArm('the model has no joint that a servo could turn', 'give a model of an arm');
  for (const tied of tree.ties) {
    if (tied.length === 0)
      throw refusedArm(
        'the model closes a chain (connect or weld)',
        'take that constraint out, or give a model without it',
      );
    if (tied.every(name => moving.some(joint => joint.name === name)))
      throw refusedArm(
        `the model ties ${tied.join(' to ')}, and each servo goes its own way`,
        `leave the one without a servo where it is: --fixed ${tied[0]}`,
      );
  }
  return moving;
}

/** @throws KitError E_ARM_ANSWERS */
export function planOfModel(
  tree: ModelTree,
  answers: FullModelAnswers,
  { name, bus, source }: { readonly name: string; readonly bus: OwnBus; readonly source: string },
): ArmPlan {
  const moving = movingJoints(tree, answers.fixed);
  for (const { name: said } of answers.joints)
    if (!moving.some(joint => isCalled(joint, said)))
      throw refusedArm(
        `the model has no joint '${said}' that moves`,
        `its joints are: ${moving.map(joint => joint.name).join(', ')}`,
      );
  const said = moving.map(joint => ({
    ...answers.joints.find(({ name: other }) => isCalled(joint, other)),
    name: joint.name,
  }));
  const servos = chosenServos(bus, answers.servo, said);
  const tip = placeOf(tree, answers.fingertip);
  const [x, y, z] = answers.fingertipMm;
  const tipM: Vector = [tip.positionM[0] + x / 1000, tip.positionM[1] + y / 1000, tip.positionM[2] + z / 1000];
  const notes: string[] = [];

  /** The last joint that turns a body; −1: it stands still. */
  const turnedBy = tree.bodies.map(() => -1);
  for (const b of tree.bodies.keys()) {
    turnedBy[b] = b === 0 ? -1 : turnedBy[tree.bodies[b]!.parent]!;
    for (const [j, joint] of moving.entries()) if (joint.body === b) turnedBy[b] = j;
  }
  const parents = moving.map(({ body }, j) =>
    moving[j - 1]?.body === body ? j - 1 : turnedBy[tree.bodies[body]!.parent]!,
  );
  const anchors = moving.map(({ anchorM }) => rounded(anchorM, placeDigits));
  const anchorOf = (j: number) => (j < 0 ? nowhere : anchors[j]!);

  const linkNames = numbered(moving.map(({ body }) => robotName(tree.bodies[body]!.name, 'link')));
  const jointNames = distinct(moving.map(joint => robotName(joint.name, 'joint')));
  const loadKg = loadOf(tree, tip.body, answers.loadG);
  const isLoad = (b: number) =>
    b === tip.body && tree.bodies[b]!.name === loadBody && !moving.some(({ body }) => body === b);
  const fingertip = {
    parent: turnedBy[tip.body]!,
    offsetM: rounded(minus(tipM, anchorOf(turnedBy[tip.body]!)), placeDigits),
  };

  const joints = moving.map((joint, j): PlannedJoint => {
    const ends = [
      ...moving.flatMap((_, child) => (parents[child] === j ? [minus(anchors[child]!, anchors[j]!)] : [])),
      ...(fingertip.parent === j ? [fingertip.offsetM] : []),
    ];
    const parts = tree.bodies.map((body, b) => ({ body, b })).filter(({ b }) => turnedBy[b] === j && !isLoad(b));
    const link = linkOf(tree, parts, linkNames[j]!, anchors[j]!, ends, notes);
    const range = rangeOf(joint, said[j]!, servos[j]!.servo, notes);
    return {
      name: jointNames[j]!,
      parent: parents[j]!,
      axis: [squared(joint.axis[0]), squared(joint.axis[1]), squared(joint.axis[2])],
      originM: rounded(minus(anchors[j]!, anchorOf(parents[j]!)), placeDigits),
      rangeRad: range,
      homeRad: restOf(range, said[j]!.homeDeg),
      ...servos[j]!,
      link,
    };
  });
  const renamed = moving.flatMap((joint, j) =>
    jointNames[j] === joint.name ? [] : [`${jointNames[j]} (${joint.name})`],
  );
  if (renamed.length > 0) notes.unshift(`names of joints here: ${renamed.join(', ')}`);
  const baseGeoms = geomsOf(tree, b => turnedBy[b] === -1 && !tree.bodies[b]!.isMocap, 'base', nowhere);
  if (tree.leftOut.length > 0) notes.push(`meshes are left out: ${tree.leftOut.join(', ')}`);
  if (tree.bodies[tip.body]!.name !== loadBody || answers.loadG !== undefined)
    notes.push(`a load of ${(1000 * loadKg).toFixed(0)} g at the fingertip is added`);
  const plan: ArmPlan = { name, source, bus, joints, fingertip, baseGeoms, loadKg, notes };
  return checkedBranches(plan);
}

/** A number after a name that stands there already. */
function numbered(names: readonly string[]): string[] {
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name}-${i + 1}`));
}

/** The joints' names, unless two became the same: they are what a person says. */
function distinct(names: readonly string[]): readonly string[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw refusedArm(`two joints would be called '${twice}'`, 'rename one of them in the model');
  return names;
}

function loadOf({ bodies }: ModelTree, tipBody: number, loadG: number | undefined): number {
  if (loadG !== undefined) return loadG / 1000;
  const { name, massKg } = bodies[tipBody]!;
  return name === loadBody && massKg > weightlessKg ? massKg : usualLoadKg;
}

/** A hinge off the way to the fingertip hangs on the hand, as a gripper does. */
function checkedBranches(plan: ArmPlan): ArmPlan {
  const chain = chainOf(plan);
  const stray = plan.joints.find((joint, j) => !chain.includes(j) && joint.parent !== chain.at(-1));
  if (stray === undefined) return plan;
  throw refusedArm(
    `joint '${stray.name}' neither moves the fingertip nor hangs on the hand: this is more than one chain`,
    `name the joints of the other chain with --fixed, as --fixed ${stray.name}, or another --fingertip`,
  );
}

function rangeOf(
  { name, range }: ModelJoint,
  said: { readonly rangeDeg?: readonly [number, number] | undefined },
  servo: ServoModelName,
  notes: string[],
): readonly [number, number] {
  if (said.rangeDeg !== undefined) return rangeRad(name, said.rangeDeg);
  if (range !== undefined) return [Number(range[0].toFixed(6)), Number(range[1].toFixed(6))];
  const far = endlessRad[servoModels[servo].kind];
  notes.push(`joint '${name}' has no range in the model: −${far} … ${far} rad is taken`);
  return [-far, far];
}

type Part = { readonly body: ModelBody; readonly b: number };

/** @param ends of the link, where it carries something, from its own origin */
function linkOf(
  tree: ModelTree,
  parts: readonly Part[],
  name: string,
  originM: Vector,
  ends: readonly Vector[],
  notes: string[],
): PlannedLink {
  const massKg = parts.reduce((sum, { body }) => sum + body.massKg, 0);
  const far = ends.length > 0 ? ends : [nowhere];
  if (massKg < weightlessKg) {
    notes.push(`link '${name}' has no mass in the model: that of a printed rod is taken`);
    return { name, geoms: far.map((end, i) => rod(`${name}-rod-${i + 1}`, rounded(end, placeDigits))) };
  }
  const comM = [0, 1, 2].map(i => parts.reduce((sum, { body }) => sum + body.massKg * body.comM[i]!, 0) / massKg);
  const inertia = mergedInertia(parts, comM);
  const own = minus([comM[0]!, comM[1]!, comM[2]!], originM);
  const geoms = geomsOf(tree, b => parts.some(part => part.b === b), name, originM);
  const isBare = !geoms.some(({ conaffinity }) => conaffinity !== 0);
  const reach = ends.length > 0 ? ends : [own.map(part => 2 * part) as [number, number, number]];
  const rods = isBare ? reach.map((end, i) => rod(`${name}-rod-${i + 1}`, rounded(end, placeDigits), 0)) : [];
  return {
    name,
    geoms: [...geoms, ...rods],
    inertial: { massKg: Number(massKg.toFixed(6)), comM: rounded(own, placeDigits), inertia },
  };
}

/** xx yy zz xy xz yz about the common centre of mass (parallel axes). */
function mergedInertia(parts: readonly Part[], comM: readonly number[]): number[] {
  const whole = new Float64Array(9);
  for (const { body } of parts) {
    const d = comM.map((part, i) => body.comM[i]! - part);
    const squared = d.reduce((sum, part) => sum + part * part, 0);
    for (let i = 0; i < 9; i++) {
      const row = Math.floor(i / 3);
      const column = i % 3;
      whole[i]! += body.inertia[i]! + body.massKg * ((row === column ? squared : 0) - d[row]! * d[column]!);
    }
  }
  // MuJoCo refuses a moment above the sum of the other two, which is where a flat body's lies, give or take a rounding error.
  const slack = 1e-6 * (whole[0]! + whole[4]! + whole[8]!);
  const products = [whole[1]!, whole[2]!, whole[5]!].map(product => (Math.abs(product) < slack ? 0 : product));
  return [whole[0]! + slack, whole[4]! + slack, whole[8]! + slack, ...products];
}

function geomsOf({ geoms }: ModelTree, isOf: (body: number) => boolean, name: string, originM: Vector): PlannedGeom[] {
  return geoms
    .filter(({ body }) => isOf(body))
    .map(({ type, size, positionM, xyAxes, collides, rgba }, i) => ({
      name: `${name}-${i + 1}`,
      type,
      size,
      pos: rounded(minus(positionM, originM), placeDigits),
      xyaxes: xyAxes.map(squared),
      rgba: rgba.map(part => Number(part.toFixed(3))),
      ...(collides ? {} : { conaffinity: 0 }),
    }));
}
