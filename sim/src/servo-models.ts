/**
 * The servos that a scene can be written for, as MuJoCo and {@link ServoArm} have them.
 *
 * Stall torque and speed without load are those of the data sheet. A DC motor's torque falls in a straight line from the one to the
 * other, so damping is the one over the other, and friction is added to the torque limit, for the sheet's torque is that of the horn.
 * Stiffness of a Dynamixel follows from its position loop: PWM is error × gain ÷ 128, and full at 885. Friction, motor inertia and delay
 * are on no sheet: those of the shipped scenes where one has the servo, else in proportion to its nearest relative. The shipped scenes say
 * the same numbers, and `sim/test/servo-models.test.ts` holds them to it.
 */
import type { OwnBus, ServoModelName } from '@sim2servo/models/arm-answers';
import { type Servo, servoKinds } from '@sim2servo/models/site';

export interface ServoModel {
  readonly kind: Servo['kind'];
  /** Where the first two figures are from. */
  readonly sheet: string;
  readonly stallNm: number;
  readonly noLoadRadPerS: number;
  readonly dampingNmSPerRad: number;
  readonly frictionNm: number;
  readonly armatureKgM2: number;
  readonly stiffnessNmPerRad: number;
  readonly kvNmSPerRad: number;
  readonly backlashRad: number;
  readonly delayS: number;
  readonly noiseCounts: number;
  readonly massKg: number;
  /** Half of each edge of its box. */
  readonly halfSizeM: readonly [number, number, number];
}

const revPerMin = (2 * Math.PI) / 60;
const quarterDegree = 0.00436;
const countedRest = { delayS: 0.004, noiseCounts: 0.3 };
const x430 = { kind: 'dynamixel', backlashRad: quarterDegree, halfSizeM: [0.01425, 0.017, 0.02325] } as const;
const xl330 = {
  kind: 'dynamixel',
  backlashRad: quarterDegree,
  massKg: 0.018,
  halfSizeM: [0.01, 0.013, 0.017],
} as const;

type Sheet = Omit<ServoModel, 'dampingNmSPerRad' | 'delayS' | 'noiseCounts'>;
const counted = (servo: Sheet): ServoModel => ({
  ...servo,
  ...countedRest,
  dampingNmSPerRad: servo.stallNm / servo.noLoadRadPerS,
});

export const servoModels: Readonly<Record<ServoModelName, ServoModel>> = {
  mg996r: {
    kind: 'hobby-pwm',
    sheet: 'MG996R class at 4.8 V: 9.4 kg·cm, 0.17 s for 60°',
    stallNm: 0.88,
    noLoadRadPerS: 6,
    dampingNmSPerRad: 0.02,
    frictionNm: 0.02,
    armatureKgM2: 0.002,
    stiffnessNmPerRad: 8,
    kvNmSPerRad: 0.25,
    backlashRad: 0.00873,
    delayS: 0.012,
    noiseCounts: 0.7,
    massKg: 0.055,
    halfSizeM: [0.02, 0.01, 0.018],
  },
  sts3215: counted({
    kind: 'feetech',
    sheet: 'data sheet of the STS3215-C001 at 7.4 V: 19.5 kg·cm, 0.192 s for 60°',
    stallNm: 1.912,
    noLoadRadPerS: 5.45,
    frictionNm: 0.052,
    armatureKgM2: 0.028,
    stiffnessNmPerRad: 17.8,
    kvNmSPerRad: 0.6,
    backlashRad: 0.00873,
    massKg: 0.055,
    halfSizeM: [0.0227, 0.0124, 0.0175],
  }),
  'xl330-m077': counted({
    ...xl330,
    sheet: 'Robotis e-Manual, XL330-M077 at 5 V: 0.215 N·m, 383 rev/min',
    stallNm: 0.215,
    noLoadRadPerS: 383 * revPerMin,
    frictionNm: 0.006,
    armatureKgM2: 0.0002,
    stiffnessNmPerRad: 0.495,
    kvNmSPerRad: 0.025,
  }),
  'xl330-m288': counted({
    ...xl330,
    sheet: 'Robotis e-Manual, XL330-M288 at 5 V: 0.52 N·m, 103 rev/min',
    stallNm: 0.52,
    noLoadRadPerS: 103 * revPerMin,
    frictionNm: 0.015,
    armatureKgM2: 0.003,
    stiffnessNmPerRad: 1.2,
    kvNmSPerRad: 0.06,
  }),
  'xl430-w250': counted({
    ...x430,
    sheet: 'Robotis e-Manual, XL430-W250 at 12 V: 1.5 N·m, 61 rev/min',
    stallNm: 1.5,
    noLoadRadPerS: 61 * revPerMin,
    frictionNm: 0.04,
    armatureKgM2: 0.012,
    stiffnessNmPerRad: 6.89,
    kvNmSPerRad: 0.25,
    massKg: 0.0572,
  }),
  'xm430-w350': counted({
    ...x430,
    sheet: 'Robotis e-Manual, XM430-W350 at 12 V: 4.1 N·m, 46 rev/min',
    stallNm: 4.1,
    noLoadRadPerS: 46 * revPerMin,
    frictionNm: 0.1,
    armatureKgM2: 0.022,
    stiffnessNmPerRad: 18.8,
    kvNmSPerRad: 0.68,
    massKg: 0.082,
  }),
};

/** What an arm's joints usually are. */
const usual: Readonly<Record<OwnBus, ServoModelName>> = {
  kitlink: 'mg996r',
  feetech: 'sts3215',
  dynamixel: 'xl430-w250',
};

/** The models that hang on a bus, the usual one first. */
export function servosOn(bus: OwnBus): ServoModelName[] {
  const all = (Object.keys(servoModels) as ServoModelName[]).filter(name => servoModels[name].kind === servoKinds[bus]);
  return [usual[bus], ...all.filter(name => name !== usual[bus])];
}
