/**
 * LeRobot's joints: their names and their units. Ours are radians; LeRobot's arms speak degrees from the middle of a joint's range
 * (`use_degrees`) or −100 to 100 over the range, and of a gripper always 0 to 100 %. (`MotorNormMode` in LeRobot's motors_bus.py.)
 */
import type { RobotSpec } from '@sim2servo/models/robot-spec';

type Joint = RobotSpec['joints'][number];

/** `degrees` is what we write, for it needs no calibration to be understood. */
export const jointUnits = ['degrees', 'normalised'] as const;
export type JointUnit = (typeof jointUnits)[number];

/** Radians that one unit stands for, and the angle at which LeRobot has 0. */
function scaleOf({ name, range: [low, high] }: Joint, unit: JointUnit): { radPerUnit: number; zeroRad: number } {
  if (name === 'gripper') return { radPerUnit: (high - low) / 100, zeroRad: low };
  return { radPerUnit: unit === 'degrees' ? Math.PI / 180 : (high - low) / 200, zeroRad: (low + high) / 2 };
}

/** @param positionRad [joints] */
export function positionsToLerobot(spec: RobotSpec, positionRad: ArrayLike<number>, unit: JointUnit): number[] {
  return spec.joints.map((joint, j) => {
    const { radPerUnit, zeroRad } = scaleOf(joint, unit);
    return (positionRad[j]! - zeroRad) / radPerUnit;
  });
}

/** @returns [joints] rad */
export function positionsFromLerobot(spec: RobotSpec, position: ArrayLike<number>, unit: JointUnit): number[] {
  return spec.joints.map((joint, j) => {
    const { radPerUnit, zeroRad } = scaleOf(joint, unit);
    return zeroRad + position[j]! * radPerUnit;
  });
}

/** @param velocityRadS [joints] rad/s */
export function velocitiesToLerobot(spec: RobotSpec, velocityRadS: ArrayLike<number>, unit: JointUnit): number[] {
  return spec.joints.map((joint, j) => velocityRadS[j]! / scaleOf(joint, unit).radPerUnit);
}
