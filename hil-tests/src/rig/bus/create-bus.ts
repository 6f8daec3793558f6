/** An emulated bus of a kind: with the arm of a robot folder, or with so many servos that turn nothing. */
import { baudRates as dynamixelRates } from '@sim2servo/firmware-bridge/dynamixel/registers';
import { baudRates as feetechRates } from '@sim2servo/firmware-bridge/feetech/registers';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import type { RigOptions } from '../rig.js';
import type { DynamixelServo } from './dynamixel/dynamixel-servo.js';
import { freeDynamixels, robotDynamixels } from './dynamixel/dynamixel-servos.js';
import { EmulatedBus } from './emulated-bus.js';
import { armMechanics, freeHorns, type Mechanics } from './mechanics.js';
import { Sts3215 } from './sts3215.js';

export const busKinds = ['feetech', 'dynamixel'] as const;
export type BusKind = (typeof busKinds)[number];
const baudRates = { feetech: feetechRates, dynamixel: dynamixelRates };
interface ServoOf {
  readonly feetech: Sts3215;
  readonly dynamixel: DynamixelServo;
}
export type AnyServo = ServoOf[BusKind];

/**
 * The bus of a robot, its arm at home and limp.
 *
 * @typeParam Servo what its site has; nobody checks that
 * @throws KitError E_RIG_BUS, E_RIG_BAUD
 */
export async function robotBus<Servo extends AnyServo = AnyServo>(
  robot: LoadedRobot,
  options?: RigOptions,
): Promise<EmulatedBus<Servo>> {
  const { bus } = robot.site;
  if (bus.kind === 'kitlink' || bus.kind === 'mqtt')
    throw new KitError(
      'E_RIG_BUS',
      `robot ${robot.spec.name} has a ${bus.kind} bus, and the rig has ${busKinds.join(', ')}`,
      'take a robot whose site.json says one of those, or another rig',
      'usage',
    );
  const { kind, baudRate } = bus;
  checkBaudRate(kind, baudRate);
  const mechanics = await armMechanics(robot, options);
  const servos = kind === 'feetech' ? robotSts3215s(robot, mechanics) : robotDynamixels(robot, mechanics);
  return new EmulatedBus(servos as readonly AnyServo[] as readonly Servo[], mechanics, baudRate);
}

/** Servos 1 … n. @throws KitError E_RIG_BAUD */
export function freeBus<Kind extends BusKind>(kind: Kind, count: number, baudRate: number): EmulatedBus<ServoOf[Kind]> {
  checkBaudRate(kind, baudRate);
  const mechanics = freeHorns(count);
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const servos: readonly AnyServo[] =
    kind === 'feetech' ? sts3215s(ids, baudRate, mechanics) : freeDynamixels(ids, baudRate, mechanics);
  return new EmulatedBus(servos as readonly ServoOf[Kind][], mechanics, baudRate);
}

function robotSts3215s({ spec, site }: LoadedRobot, mechanics: Mechanics): Sts3215[] {
  const { bus, servos } = siteOn(site, 'feetech');
  const ids = servosInOrder(spec, { servos }).map(servo => servo.id);
  return sts3215s(ids, bus.baudRate, mechanics);
}

function sts3215s(ids: readonly number[], baudRate: number, mechanics: Mechanics): Sts3215[] {
  return ids.map((id, i) => new Sts3215({ id, baudRate, horn: () => mechanics.counts(i) }));
}

function checkBaudRate(kind: BusKind, baudRate: number): void {
  const rates: readonly number[] = baudRates[kind];
  if (!rates.includes(baudRate))
    throw new KitError(
      'E_RIG_BAUD',
      `a ${kind} servo has no baud rate of ${baudRate}`,
      `take one of ${rates.join(', ')}`,
      'usage',
    );
}
