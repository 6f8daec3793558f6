/** What must be true of a servo before it is driven: it is there, it is the model that the site says, and it is set up as we drive it. */
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { turnOfAngle } from '@sim2servo/models/servo-scale';
import { countsPerTurn, type SiteOn, servoNames } from '@sim2servo/models/site';
import { type CycleServo, slotBytes } from './cycle-read.js';
import type { DynamixelBus } from './dynamixel-bus.js';
import {
  accelerationStepCountsPerS2,
  controlTable,
  driveModeBits,
  dynamixelModels,
  hardwareErrorWords,
  operatingModes,
  registers,
  returnDelayStepUs,
  velocityStepCountsPerS,
} from './registers.js';

export type Servo = SiteOn<'dynamixel'>['servos'][number];
type Joint = RobotSpec['joints'][number];

/** The servo's own speed limit lies this far above the shield's, so that rounding never makes it the one that acts. */
const velocityMargin = 1.1;
/**
 * Its acceleration limit always acts: a profile is at rest at its goal, so behind a goal that runs at v it stays v² / 2a. Four times what
 * the shield allows keeps that small, and still leaves no jump.
 */
const accelerationMargin = 4;
const radPerCount = (2 * Math.PI) / countsPerTurn;

/** A servo that was found fit, and the numbers that it is driven with. */
export interface ReadyServo extends CycleServo {
  readonly joint: string;
  readonly returnDelayUs: number;
  /** Counts of the joint's range, the smaller first. */
  readonly range: readonly [number, number];
  readonly profileVelocity: number;
  readonly profileAcceleration: number;
  /** What it takes to come to rest from its full speed. */
  readonly brakeCounts: number;
}

function unfit(servo: Servo, what: string, hint: string): KitError {
  return new KitError('E_SERVO_SETUP', `${servoNames(servo)} ${what}`, hint, 'noDevice');
}

/**
 * Asks a servo who it is and how it is set up, and lays its indirect slots. Nothing moves and nothing is written that lasts.
 *
 * @throws KitError E_SERVO_ABSENT, E_SERVO_MODEL, E_SERVO_SETUP, E_SERVO_FAULT, E_SERVO_SILENT, E_SERVO_REFUSED
 */
export async function setUpServo(bus: DynamixelBus, servo: Servo, joint: Joint): Promise<ReadyServo> {
  const found = await bus.ping(servo);
  if (found === undefined)
    throw new KitError(
      'E_SERVO_ABSENT',
      `no servo answers to id ${servo.id} (joint '${servo.joint}')`,
      bus.port.bytes === 0
        ? 'nothing answers at all: check the port, the power of the servos, and baudRate in site.json'
        : 'check its cable, its id, and that no other servo has the same',
      'noDevice',
    );
  const model = dynamixelModels[servo.model];
  if (found.model !== model.number)
    throw new KitError(
      'E_SERVO_MODEL',
      `${servoNames(servo)} is ${modelWords(found.model)}, not ${servo.model} (${model.number})`,
      'correct model or id in site.json',
      'usage',
    );
  if (found.firmware < model.watchdogFirmware)
    throw unfit(
      servo,
      `has firmware ${found.firmware}, without a bus watchdog`,
      `update it to ${model.watchdogFirmware} or above with DYNAMIXEL Wizard: nothing else stops it when the host dies`,
    );
  // It is 2 after power-up; whoever changed it made writes go unanswered.
  bus.tell(servo, registers.statusReturnLevel, registers.statusReturnLevel.max);
  const fault = hardwareErrorWords(await bus.read(servo, registers.hardwareErrorStatus));
  if (fault !== '')
    throw new KitError(
      'E_SERVO_FAULT',
      `${servoNames(servo)} reports: ${fault}`,
      'remove the cause, then switch its power off and on',
      'safetyStop',
    );
  await checkModes(bus, servo);
  const table = controlTable(model);
  const range = await checkedRange(bus, servo, joint);
  await bus.writeBytes(servo, model.indirect.address, slotBytes);
  const steps = (value: number, stepCounts: number, most: number) =>
    Math.min(Math.ceil(value / radPerCount / stepCounts), most);
  const velocityLimit = await bus.read(servo, table.velocityLimit);
  const profileVelocity = steps(velocityMargin * joint.maxVelocity, velocityStepCountsPerS, velocityLimit);
  const profileAcceleration = steps(
    accelerationMargin * joint.maxAcceleration,
    accelerationStepCountsPerS2,
    table.profileAcceleration.max,
  );
  return {
    id: servo.id,
    joint: servo.joint,
    model,
    firmware: found.firmware,
    returnDelayUs: (await bus.read(servo, registers.returnDelayTime)) * returnDelayStepUs,
    range,
    profileVelocity,
    profileAcceleration,
    brakeCounts:
      (profileVelocity * velocityStepCountsPerS) ** 2 / (2 * profileAcceleration * accelerationStepCountsPerS2),
  };
}

function modelWords(number: number): string {
  const name = Object.entries(dynamixelModels).find(([, model]) => model.number === number)?.[0];
  return name === undefined ? `a model that this kit does not know (${number})` : `${name} (${number})`;
}

const modeNames = Object.fromEntries(Object.entries(operatingModes).map(([name, value]) => [value, name]));

async function checkModes(bus: DynamixelBus, servo: Servo): Promise<void> {
  const mode = await bus.read(servo, registers.operatingMode);
  if (mode !== operatingModes.position)
    throw unfit(
      servo,
      `is in operating mode ${mode} (${modeNames[mode] ?? 'unknown'}), not in ${operatingModes.position} (position)`,
      `with its torque off write ${operatingModes.position} to its register ${registers.operatingMode.address}, with DYNAMIXEL Wizard`,
    );
  const drive = await bus.read(servo, registers.driveMode);
  const wrong = [
    drive & driveModeBits.timeBasedProfile && 'a profile by time, where we give velocities',
    drive & driveModeBits.torqueOnByGoalUpdate && 'torque that comes on with a goal',
  ].filter(Boolean);
  if (wrong.length > 0)
    throw unfit(
      servo,
      `has drive mode ${drive}: ${wrong.join(', ')}`,
      `with its torque off write ${drive & driveModeBits.reverse} to its register ${registers.driveMode.address}, with DYNAMIXEL Wizard`,
    );
}

/** The joint's range in counts, inside which the servo's own limits must leave it free to go. */
async function checkedRange(bus: DynamixelBus, servo: Servo, joint: Joint): Promise<readonly [number, number]> {
  const ends = joint.range.map(angle => Math.round(turnOfAngle(servo, angle)));
  const range = [Math.min(...ends), Math.max(...ends)] as const;
  const limits = [
    await bus.read(servo, registers.minPositionLimit),
    await bus.read(servo, registers.maxPositionLimit),
  ] as const;
  if (limits[0] <= range[0] && limits[1] >= range[1]) return range;
  throw unfit(
    servo,
    `has position limits ${limits.join(' to ')}, and the joint's range is counts ${range.join(' to ')}`,
    `widen them (registers ${registers.minPositionLimit.address} and ${registers.maxPositionLimit.address}), or narrow the range in robot.json`,
  );
}
