/** The emulated servos of a robot, or of nobody in particular. Those that are used were set up for it: at the wire's rate, without a return delay. */
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import type { Mechanics } from '../mechanics.js';
import { DynamixelServo, type DynamixelServoOptions } from './dynamixel-servo.js';

/** In the order of the robot's joints. */
export function robotDynamixels({ spec, site }: LoadedRobot, mechanics: Mechanics): DynamixelServo[] {
  const { bus, servos } = siteOn(site, 'dynamixel');
  const { baudRate } = bus;
  return dynamixels(
    servosInOrder(spec, { servos }).map(({ model, id }) => ({ model, id, baudRate })),
    mechanics,
  );
}

/** Of the model that a Koch v1.1 has most of. */
export function freeDynamixels(ids: readonly number[], baudRate: number, mechanics: Mechanics): DynamixelServo[] {
  return dynamixels(
    ids.map(id => ({ model: 'xl330-m288', id, baudRate })),
    mechanics,
  );
}

function dynamixels(all: readonly DynamixelServoOptions[], mechanics: Mechanics): DynamixelServo[] {
  return all.map((options, i) => {
    const servo = new DynamixelServo(options, () => mechanics.counts(i));
    servo.table.set('returnDelayTime', 0);
    return servo;
  });
}
