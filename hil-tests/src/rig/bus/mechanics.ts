/** What the servos of an emulated bus turn: the arm of a robot folder, or horns without a load. In raw counts of their encoders. */
import { Random } from '@sim2servo/models/random';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { servoScale } from '@sim2servo/models/servo-scale';
import { countsPerTurn } from '@sim2servo/models/site';
import { nominalArm } from '@sim2servo/sim/arm-variation';
import { ServoArm } from '@sim2servo/sim/servo-arm';
import type { RigOptions } from '../rig.js';

/** Until an arm that nobody holds lies on the desk. */
export const fallS = 3;

export interface Mechanics {
  /** Time of one step. */
  readonly stepS: number;
  /** @param targets [servos] where each is driven, NaN for one without torque */
  step(targets: Float64Array): void;
  /** Where a horn stands, whole counts. */
  counts(servo: number): number;
  /** A hand turns a horn that has no torque; absent where an arm hangs on it. */
  turn?(servo: number, counts: number): void;
  /** Where the joint that it turns truly stands, rad. */
  angleRad(servo: number): number;
  dispose(): void;
}

/** The arm that policies were trained on. */
export async function armMechanics(
  robot: LoadedRobot,
  { variation = nominalArm, seed = 0 }: RigOptions = {},
): Promise<Mechanics & { readonly arm: ServoArm }> {
  const arm = await ServoArm.create(robot);
  arm.reset(
    robot.spec.joints.map(joint => joint.home),
    variation,
    new Random(seed),
  );
  const scales = servosInOrder(robot.spec, robot.site).map(servoScale);
  const angles = new Float64Array(scales.length);
  const { timestepS } = arm.world;
  return {
    arm,
    stepS: timestepS,
    step: targets => {
      for (const [j, scale] of scales.entries()) angles[j] = scale.angleOfCounts(targets[j]!);
      arm.setTargets(angles);
      arm.advance(timestepS);
    },
    counts: servo => arm.feedbackCounts(servo),
    angleRad: servo => arm.angle(servo),
    dispose: () => arm.dispose(),
  };
}

/** A servo of this class without a load reaches two thirds of a small step in this time. */
const timeConstantS = 0.03;
const stepS = 0.002;

/** Horns in the air, each for itself: they follow with a lag of first order, and stay where they are without torque. */
export function freeHorns(servos: number): Mechanics {
  const position = new Float64Array(servos).fill(countsPerTurn / 2);
  const share = 1 - Math.exp(-stepS / timeConstantS);
  return {
    stepS,
    step(targets) {
      for (const [i, target] of targets.entries())
        if (!Number.isNaN(target)) position[i]! += share * (target - position[i]!);
    },
    counts: servo => Math.round(position[servo]!),
    turn(servo, counts) {
      position[servo] = counts;
    },
    angleRad: servo => ((position[servo]! - countsPerTurn / 2) * 2 * Math.PI) / countsPerTurn,
    dispose: () => {},
  };
}
