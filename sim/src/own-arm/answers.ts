/**
 * What a person says of an arm: with ruler and protractor, in millimetres and degrees, at the posture where every joint is at 0. x points
 * ahead, y to the left, z up.
 */
import { z } from 'zod';
import { type OwnBus, ownBuses, type ServoModelName, servoModels, servosOn } from '../servo-models.js';
import {
  type ArmPlan,
  type PlannedGeom,
  type PlannedJoint,
  refusedArm,
  robotName,
  rod,
  type Vector,
} from './arm-plan.js';

const axes = {
  x: [1, 0, 0],
  y: [0, 1, 0],
  z: [0, 0, 1],
  '-x': [-1, 0, 0],
  '-y': [0, -1, 0],
  '-z': [0, 0, -1],
} as const;
const millimetres = z.tuple([z.number(), z.number(), z.number()]);
const servoModel = z.enum(Object.keys(servoModels) as [ServoModelName, ...ServoModelName[]]);

/** What is said of one servo, whatever its joint is known from. */
const servoAnswers = {
  servo: servoModel.optional().describe('another model than the arm has'),
  id: z.int().min(0).max(252).optional().describe('on the bus; default: 1, 2, … (kitlink: channel 0, 1, …)'),
  homeDeg: z.number().optional().describe('where the arm rests; default: 0, or the middle of a range without it'),
};
const rangeDeg = z.tuple([z.number(), z.number()]).describe('from the lower to the upper end');

const joint = z.strictObject({
  name: z.string().min(1),
  axis: z
    .enum(Object.keys(axes) as [keyof typeof axes])
    .describe('which way it turns, by the right hand: thumb along the axis, fingers as the angle rises'),
  rangeDeg,
  offsetMm: millimetres.describe("from this joint's axis to the next one's; of the last joint: to the fingertip"),
  linkG: z
    .number()
    .positive()
    .optional()
    .describe('of what it turns, up to the next joint; default: printed, with servos'),
  ...servoAnswers,
});

const ofEveryArm = {
  name: z.string().min(1).optional().describe('default: what the folder is called'),
  bus: z.enum(ownBuses as [OwnBus]).optional(),
  servo: servoModel.optional().describe('model of every joint that says no other; default: the usual one of the bus'),
  loadG: z.number().positive().optional().describe('at the fingertip; training varies it by half. Default: 20'),
};

/** Of an arm that nobody has a model of. */
export const armAnswersSchema = z.strictObject({
  ...ofEveryArm,
  baseMm: millimetres.default([0, 0, 60]).describe("of the first joint's axis above the desk"),
  joints: z.array(joint).min(1).max(32).describe('from the base on'),
  gripper: z
    .strictObject({ name: z.string().min(1).default('gripper'), axis: joint.shape.axis, rangeDeg, ...servoAnswers })
    .optional()
    .describe('a joint of the hand that does not move the fingertip'),
});

/** The same with anything still unsaid. */
export const armDraftSchema = armAnswersSchema.partial();

/** What a model file does not say of its arm. */
export const modelAnswersSchema = z.strictObject({
  ...ofEveryArm,
  fingertip: z.string().min(1).optional().describe('a site or body of the model'),
  fixed: z.array(z.string()).default([]).describe('joints that have no servo: they stay at 0'),
  joints: z
    .array(z.strictObject({ name: z.string().min(1), rangeDeg: rangeDeg.optional(), ...servoAnswers }))
    .default([])
    .describe('what is to be otherwise than in the model, by its names'),
});

export type ArmDraft = z.input<typeof armDraftSchema>;
export type ArmAnswers = z.input<typeof armAnswersSchema>;
export type ModelAnswers = z.input<typeof modelAnswersSchema>;
type ServoAnswers = { readonly servo?: ServoModelName | undefined; readonly id?: number | undefined };

/** Of a load that nobody says anything of. */
export const usualLoadKg = 0.02;

const rad = (degrees: number) => Math.round((degrees * Math.PI * 1e6) / 180) / 1e6;

/** 0, or the middle of a range that 0 is not well inside of. */
export function restOf([low, high]: readonly [number, number], homeDeg: number | undefined): number {
  if (homeDeg !== undefined) return rad(homeDeg);
  const inside = (high - low) / 10;
  return low + inside <= 0 && high - inside >= 0 ? 0 : (low + high) / 2;
}

/** Model and id of the servos of an arm, in the order of its joints. @throws KitError E_ARM_ANSWERS */
export function chosenServos(
  bus: OwnBus,
  usual: ServoModelName | undefined,
  joints: readonly ({ readonly name: string } & ServoAnswers)[],
): { readonly servo: ServoModelName; readonly id: number }[] {
  const known = servosOn(bus);
  return joints.map(({ name, servo = usual ?? known[0]!, id }, i) => {
    if (!known.includes(servo))
      throw refusedArm(
        `joint '${name}' has a ${servo}, which does not hang on a ${bus} bus`,
        `take one of: ${known.join(', ')}`,
      );
    return { servo, id: id ?? (bus === 'kitlink' ? i : i + 1) };
  });
}

/** A `[low, high]` in degrees as rad. @throws KitError E_ARM_ANSWERS */
export function rangeRad(name: string, [low, high]: readonly [number, number]): readonly [number, number] {
  if (low < high) return [rad(low), rad(high)];
  throw refusedArm(`joint '${name}' goes from ${low}° to ${high}°`, 'give the lower end first');
}

/** @throws KitError E_ARM_ANSWERS */
export function planOfAnswers(
  answers: z.output<typeof armAnswersSchema>,
  { name, bus }: { readonly name: string; readonly bus: OwnBus },
): ArmPlan {
  const { joints, gripper } = answers;
  const all = [...joints, ...(gripper === undefined ? [] : [gripper])];
  const servos = chosenServos(bus, answers.servo, all);
  const metres = (mm: readonly [number, number, number]): Vector => [mm[0] / 1000, mm[1] / 1000, mm[2] / 1000];
  const last = joints.length - 1;
  const hand = metres(joints[last]!.offsetMm);
  const at = (share: number): Vector => [share * hand[0], share * hand[1], share * hand[2]];

  const planned = joints.map((answer, j): PlannedJoint => {
    const offset = metres(answer.offsetMm);
    const jointName = robotName(answer.name, 'joint');
    const range = rangeRad(answer.name, answer.rangeDeg);
    const carried: PlannedGeom[] =
      j < last ? [servoBox(servos[j + 1]!.servo, offset)] : gripper ? [servoBox(servos[last + 1]!.servo, at(0.2))] : [];
    const carriedKg = carried.length > 0 ? servoModels[servos[j + 1]!.servo].massKg : 0;
    const linkKg = answer.linkG === undefined ? undefined : Math.max(0.001, answer.linkG / 1000 - carriedKg);
    return {
      name: jointName,
      parent: j - 1,
      axis: axes[answer.axis],
      originM: j === 0 ? metres(answers.baseMm) : metres(joints[j - 1]!.offsetMm),
      rangeRad: range,
      homeRad: restOf(range, answer.homeDeg),
      ...servos[j]!,
      link: { name: `${jointName}-link`, geoms: [rod(`${jointName}-rod`, offset, linkKg), ...carried] },
    };
  });
  if (gripper !== undefined) {
    const jointName = robotName(gripper.name, 'joint');
    const range = rangeRad(gripper.name, gripper.rangeDeg);
    planned.push({
      name: jointName,
      parent: last,
      axis: axes[gripper.axis],
      originM: at(0.3),
      rangeRad: range,
      homeRad: restOf(range, gripper.homeDeg),
      ...servos[last + 1]!,
      link: { name: `${jointName}-jaw`, geoms: [rod(`${jointName}-rod`, at(0.6))] },
    });
  }
  return {
    name,
    source: 'answers',
    bus,
    joints: planned,
    fingertip: { parent: last, offsetM: hand },
    baseGeoms: base(metres(answers.baseMm), servos[0]!.servo),
    loadKg: answers.loadG === undefined ? usualLoadKg : answers.loadG / 1000,
    notes: [],
  };
}

/** Without its size and mass: those are of its class in the scene. */
function servoBox(servo: ServoModelName, pos: Vector): PlannedGeom {
  return { class: servo, type: 'box', pos };
}

function base(top: Vector, servo: ServoModelName): PlannedGeom[] {
  const [x, y, z] = top;
  const column: PlannedGeom = { name: 'base', type: 'cylinder', size: [0.03, z / 2], pos: [x, y, z / 2] };
  return z > 0.01 ? [column, servoBox(servo, top)] : [servoBox(servo, top)];
}
