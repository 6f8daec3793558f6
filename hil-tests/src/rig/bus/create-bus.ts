/** An emulated bus of a kind: with the arm of a robot folder, or with so many servos that turn nothing. */
import { baudRates } from '@sim2servo/firmware-bridge/feetech/registers';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import type { RigOptions } from '../rig.js';
import { EmulatedBus } from './emulated-bus.js';
import { armMechanics, freeHorns, type Mechanics } from './mechanics.js';
import { Sts3215 } from './sts3215.js';

export const busKinds = ['feetech'] as const;
export type BusKind = (typeof busKinds)[number];

/** The bus of a robot, its arm at home and limp. @throws KitError E_RIG_BUS */
export async function robotBus(robot: LoadedRobot, options?: RigOptions): Promise<EmulatedBus<Sts3215>> {
  const { kind } = robot.site.bus;
  if (!(busKinds as readonly string[]).includes(kind))
    throw new KitError(
      'E_RIG_BUS',
      `robot ${robot.spec.name} has a ${kind} bus, and the rig has ${busKinds.join(', ')}`,
      'take a robot whose site.json says one of those, or another rig',
      'usage',
    );
  const { bus, servos } = siteOn(robot.site, 'feetech');
  const ids = servosInOrder(robot.spec, { servos }).map(servo => servo.id);
  return busOf(ids, bus.baudRate, await armMechanics(robot, options));
}

/** Servos 1 … n. @throws KitError E_RIG_BAUD */
export function freeBus(servos: number, baudRate: number): EmulatedBus<Sts3215> {
  return busOf(
    Array.from({ length: servos }, (_, i) => i + 1),
    baudRate,
    freeHorns(servos),
  );
}

/** @throws KitError E_RIG_BAUD */
function busOf(ids: readonly number[], baudRate: number, mechanics: Mechanics): EmulatedBus<Sts3215> {
  if (!(baudRates as readonly number[]).includes(baudRate))
    throw new KitError(
      'E_RIG_BAUD',
      `an STS3215 has no baud rate of ${baudRate}`,
      `take one of ${baudRates.join(', ')}`,
      'usage',
    );
  const servos = ids.map((id, i) => new Sts3215({ id, baudRate, horn: () => mechanics.counts(i) }));
  return new EmulatedBus(servos, mechanics, baudRate);
}
