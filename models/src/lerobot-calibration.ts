/**
 * LeRobot's calibration file, read and written: `{motor: {id, drive_mode, homing_offset, range_min, range_max}}`.
 *
 * Its counts are those that a servo reports, like ours, so long as the servo holds the file's homing offset. What differs is where zero
 * is: LeRobot's 0° is the middle of the recorded range, ours the posture that robot.json calls 0 rad. The two meet in the middle: half way
 * between range_min and range_max a joint stands half way between the ends of its range in robot.json. docs/arms.md says the rest.
 *
 * @see huggingface/lerobot src/lerobot/motors/motors_bus.py, MotorCalibration and _normalize
 */
import { z } from 'zod';
import { KitError } from './error.js';
import type { RobotSpec } from './robot-spec.js';
import { turnOfAngle } from './servo-scale.js';
import { type CountedServo, countsPerTurn } from './site.js';

const motorSchema = z
  .strictObject({
    id: z.int().min(0).max(252),
    drive_mode: z.int().min(0).max(255),
    homing_offset: z.int(),
    range_min: z.int(),
    range_max: z.int(),
  })
  .refine(motor => motor.range_min < motor.range_max, {
    path: ['range_max'],
    error: 'must be larger than range_min: without a range there is no middle',
  });

export const leRobotCalibrationSchema = z.record(z.string(), motorSchema);
export type LeRobotMotor = z.infer<typeof motorSchema>;
export type LeRobotCalibration = z.infer<typeof leRobotCalibrationSchema>;

/** `shoulder-pan` → `shoulder_pan` */
export const leRobotName = (joint: string): string => joint.replaceAll('-', '_');

/** What stands in a servo and in no file of ours. */
export type ServoRegisters = Pick<LeRobotMotor, 'drive_mode' | 'homing_offset'>;

/**
 * @param servos in the order of the joints
 * @returns the servos with the file's ids and zeros; their directions are kept, as the file says nothing of them
 * @throws KitError E_LEROBOT_JOINT where the file is of another arm, E_LEROBOT_ZERO where a zero lies outside the turn
 */
export function servosFromLeRobot<Servo extends CountedServo>(
  spec: RobotSpec,
  servos: readonly Servo[],
  calibration: LeRobotCalibration,
): Servo[] {
  const wanted = spec.joints.map(({ name }) => leRobotName(name));
  const missing = wanted.filter(name => !(name in calibration));
  const foreign = Object.keys(calibration).filter(name => !wanted.includes(name));
  if (missing.length > 0 || foreign.length > 0)
    throw new KitError(
      'E_LEROBOT_JOINT',
      `the file is not of a ${spec.name}: ${[
        missing.length > 0 && `it has no ${missing.join(', ')}`,
        foreign.length > 0 && `it has ${foreign.join(', ')}, which the robot has not`,
      ]
        .filter(Boolean)
        .join('; ')}`,
      `its motors must be: ${wanted.join(', ')}`,
      'usage',
    );
  return servos.map((servo, j) => {
    const { id, range_min, range_max } = calibration[wanted[j]!]!;
    const [low, high] = spec.joints[j]!.range;
    const middleTurn = turnOfAngle({ ...servo, zeroCount: 0 }, (low + high) / 2);
    const zeroCount = Math.round((range_min + range_max) / 2 - middleTurn);
    if (zeroCount < 0 || zeroCount >= countsPerTurn)
      throw new KitError(
        'E_LEROBOT_ZERO',
        `range ${range_min} to ${range_max} of ${wanted[j]} puts 0 rad at count ${zeroCount}, outside the servo's 0 to ${countsPerTurn - 1}`,
        'calibrate again: kit calibrate --robot ROBOT --port PATH',
        'usage',
      );
    return { ...servo, id, zeroCount };
  });
}

/**
 * @param servos    in the order of the joints
 * @param registers of each servo, as they stand in it
 * @param ranges    counts between which each joint was turned; without them its range in robot.json
 */
export function leRobotCalibration(
  spec: RobotSpec,
  servos: readonly CountedServo[],
  registers: readonly ServoRegisters[],
  ranges?: readonly (readonly [number, number])[],
): LeRobotCalibration {
  return Object.fromEntries(
    servos.map((servo, j) => {
      const ends = ranges?.[j] ?? spec.joints[j]!.range.map(angle => turnOfAngle(servo, angle));
      const whole = ends.map(count => Math.max(0, Math.min(countsPerTurn - 1, Math.round(count))));
      const { drive_mode, homing_offset } = registers[j]!;
      const range = { range_min: Math.min(...whole), range_max: Math.max(...whole) };
      return [leRobotName(servo.joint), { id: servo.id, drive_mode, homing_offset, ...range }];
    }),
  );
}
