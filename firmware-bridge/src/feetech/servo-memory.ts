/** What must stand in a servo's memory before a robot may trust it, what stands there instead, and what would have to be written. */
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { turnOfAngle } from '@sim2servo/models/servo-scale';
import { type CountedServo, countsPerTurn, servoNames } from '@sim2servo/models/site';
import { decodeRegister, eepromEnd, type Register, returnDelayUs, sts3215 } from './registers.js';
import type { ServoBus } from './servo-bus.js';

export const positionMode = 0;
const answersAll = 1;

/** A register of the memory that is to be another. */
export interface MemoryChange {
  readonly register: Register;
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/**
 * A joint's range in counts.
 *
 * @throws KitError E_SERVO_RANGE where it leaves the servo's turn
 */
export function countRange(servo: CountedServo, range: readonly [number, number]): readonly [number, number] {
  const ends = range.map(angle => turnOfAngle(servo, angle));
  const low = Math.ceil(Math.min(...ends));
  const high = Math.floor(Math.max(...ends));
  if (low < 0 || high >= countsPerTurn)
    throw new KitError(
      'E_SERVO_RANGE',
      `the range [${range}] rad of joint '${servo.joint}' is counts ${low} … ${high} of servo ${servo.id}, which has 0 … ${countsPerTurn - 1}`,
      "correct zeroCount in site.json (kit calibrate), turn the servo's horn by half a turn, or narrow the range in robot.json",
      'usage',
    );
  return [low, high];
}

/** Ranges in counts of all joints, in order. */
export function countRanges(spec: RobotSpec, servos: readonly CountedServo[]): readonly (readonly [number, number])[] {
  return servos.map((servo, j) => countRange(servo, spec.joints[j]!.range));
}

/**
 * The memories of all servos, checked for being there and for being of the right model. Tells the bus how long they rest before they reply.
 *
 * @returns [servos × eepromEnd]
 * @throws KitError E_NO_ANSWER, E_SERVO_MISSING, E_SERVO_MODEL
 */
export async function readMemory(bus: ServoBus, servos: readonly CountedServo[]): Promise<Uint8Array> {
  const memory = new Uint8Array(servos.length * eepromEnd);
  const missing: CountedServo[] = [];
  for (const [i, servo] of servos.entries()) if (!(await bus.readOne(i, 0, eepromEnd, memory))) missing.push(servo);
  if (missing.length > 0) throw absent(missing, servos.length, bus);
  for (const [i, servo] of servos.entries()) checkModel(servo, memoryOf(memory, i));
  const { address } = sts3215.returnDelay;
  bus.returnDelayUs = servos.reduce((sum, _, i) => sum + memoryOf(memory, i)[address]! * returnDelayUs, 0);
  return memory;
}

/** One servo's part of what {@link readMemory} gives. */
export const memoryOf = (memory: Uint8Array, servo: number): Uint8Array =>
  memory.subarray(servo * eepromEnd, (servo + 1) * eepromEnd);

function absent(missing: readonly CountedServo[], servos: number, { port, baudRate }: ServoBus): KitError {
  if (missing.length === servos && port.bytes === 0)
    return new KitError(
      'E_NO_ANSWER',
      `nothing answers on the port at ${baudRate} baud`,
      'check cable, supply of the servos, and baudRate in site.json',
      'noDevice',
    );
  return new KitError(
    'E_SERVO_MISSING',
    `no answer from ${servoNames(...missing)}`,
    'check cables and ids; two servos of one id answer as none',
    'noDevice',
  );
}

function checkModel(servo: CountedServo, memory: Uint8Array): void {
  const model = decodeRegister(sts3215.modelNumber, memory, sts3215.modelNumber.address);
  if (model !== sts3215.modelNumber.initial)
    throw new KitError(
      'E_SERVO_MODEL',
      `${servoNames(servo)} says model ${model}, an STS3215 says ${sts3215.modelNumber.initial}`,
      'correct the id or the model in site.json',
      'usage',
    );
}

/**
 * What keeps a servo from being used as it is: another mode than position, silence after writes, limits that lie inside the joint's range.
 * Limits outside the range are no harm: the host keeps to the range.
 */
export function wrongMemory(range: readonly [number, number], memory: Uint8Array): MemoryChange[] {
  const changes: MemoryChange[] = [];
  const want = (name: keyof typeof sts3215, right: (value: number) => boolean, to: number) => {
    const register: Register = sts3215[name];
    const from = decodeRegister(register, memory, register.address);
    if (!right(from)) changes.push({ register, name, from, to });
  };
  want('mode', mode => mode === positionMode, positionMode);
  want('responseLevel', level => level === answersAll, answersAll);
  want('minPosition', low => low <= range[0], range[0]);
  want('maxPosition', high => high >= range[1], range[1]);
  return changes;
}

/** What {@link wrongMemory} finds, and what makes a robot's servo safer and faster: limits at the joint's range, no return delay. */
export function wantedMemory(range: readonly [number, number], memory: Uint8Array): MemoryChange[] {
  const wanted = {
    mode: positionMode,
    responseLevel: answersAll,
    returnDelay: 0,
    minPosition: range[0],
    maxPosition: range[1],
  };
  return Object.entries(wanted).flatMap(([name, to]) => {
    const register: Register = sts3215[name as keyof typeof wanted];
    const from = decodeRegister(register, memory, register.address);
    return from === to ? [] : [{ register, name, from, to }];
  });
}

export function changeWords({ name, from, to }: MemoryChange): string {
  return `${name} is ${from} and should be ${to}`;
}

/** @throws KitError E_SERVO_MEMORY */
export function checkMemory(servo: CountedServo, range: readonly [number, number], memory: Uint8Array): void {
  const wrong = wrongMemory(range, memory);
  if (wrong.length === 0) return;
  throw new KitError(
    'E_SERVO_MEMORY',
    `${servoNames(servo)} is not set up for this robot: ${wrong.map(changeWords).join('; ')}`,
    'kit device configure --robot ROBOT --port PATH shows what it would write into the servos, and writes it',
    'usage',
  );
}
