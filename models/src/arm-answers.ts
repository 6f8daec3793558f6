/**
 * What a person says of an arm to `kit init`: with ruler and protractor, in millimetres and degrees, at the posture where every joint is at
 * 0. x points ahead, y to the left, z up.
 */
import { z } from 'zod';
import { countedModels, servoKinds } from './site.js';

/** Buses that have servos of their own; behind a broker there may be any. */
export type OwnBus = keyof typeof servoKinds;
export const ownBuses = Object.keys(servoKinds) as [OwnBus, ...OwnBus[]];

/** A hobby servo has no model number on its bus: MG996R stands for the class. */
const servoModelNames = ['mg996r', ...countedModels.feetech, ...countedModels.dynamixel] as const;
export type ServoModelName = (typeof servoModelNames)[number];

export const axes = {
  x: [1, 0, 0],
  y: [0, 1, 0],
  z: [0, 0, 1],
  '-x': [-1, 0, 0],
  '-y': [0, -1, 0],
  '-z': [0, 0, -1],
} as const;
const millimetres = z.tuple([z.number(), z.number(), z.number()]);
const servoModel = z.enum(servoModelNames);

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
  bus: z.enum(ownBuses).optional(),
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
  fingertipMm: millimetres
    .default([0, 0, 0])
    .describe('of the fingertip from there, where the model has no such place'),
  fixed: z.array(z.string()).default([]).describe('joints that have no servo: they stay at 0'),
  joints: z
    .array(z.strictObject({ name: z.string().min(1), rangeDeg: rangeDeg.optional(), ...servoAnswers }))
    .default([])
    .describe('what is to be otherwise than in the model, by its names'),
});

export type ArmDraft = z.input<typeof armDraftSchema>;
export type ArmAnswers = z.input<typeof armAnswersSchema>;
export type ModelAnswers = z.input<typeof modelAnswersSchema>;
export type ServoAnswers = { readonly servo?: ServoModelName | undefined; readonly id?: number | undefined };
/** The same with their defaults. */
export type FullArmAnswers = z.output<typeof armAnswersSchema>;
export type FullModelAnswers = z.output<typeof modelAnswersSchema>;
