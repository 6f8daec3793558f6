/** The emulated servos of a robot, or of nobody in particular. */
import { baudRates } from '@sim2servo/firmware-bridge/dynamixel/registers';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import type { Mechanics } from '../mechanics.js';
import { DynamixelServo, type DynamixelServoOptions } from './dynamixel-servo.js';

/** In the order of the robot's joints. */
export function robotDynamixels({ spec, site }: LoadedRobot, mechanics: Mechanics): DynamixelServo[] {
  const { bus, servos } = siteOn(site, 'dynamixel');
  return dynamixels(servosInOrder(spec, { servos }), mechanics, bus.baudRate);
}

/** With ids from 1 on, of the model that LeRobot's Koch has most of. */
export function freeDynamixels(count: number, mechanics: Mechanics, baudRate: number): DynamixelServo[] {
  const options = Array.from({ length: count }, (_, i) => ({ model: 'xl330-m288' as const, id: i + 1 }));
  return dynamixels(options, mechanics, baudRate);
}

/** @throws KitError E_BAUD where these servos know no such rate */
function dynamixels(
  options: readonly DynamixelServoOptions[],
  mechanics: Mechanics,
  baudRate: number,
): DynamixelServo[] {
  const rate = (baudRates as readonly number[]).indexOf(baudRate);
  if (rate < 0)
    throw new KitError('E_BAUD', `no Dynamixel has ${baudRate} baud`, `take one of: ${baudRates.join(', ')}`, 'usage');
  return options.map((one, i) => {
    const servo = new DynamixelServo(one, () => mechanics.counts(i));
    servo.table.set('baudRate', rate);
    return servo;
  });
}
