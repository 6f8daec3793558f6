/** Bring the fingertip to a point and keep it there. The policy has to find out by itself which joint angles do that. */
import { fullSpeed } from '../action.js';
import { fingertipErrorM, movesFingertip } from '../kinematics.js';
import type { RobotSpec } from '../robot-spec.js';
import { reachReward } from './reach-reward.js';
import { sampleReachable } from './reachable-set.js';
import type { Task } from './task.js';

/** From the end of the way to a fingertip that stands still at the goal. */
const settleS = 1;

/** From any posture to any other: the slowest joint that has a part in it crosses its whole range, and the arm settles. */
function episodeS(spec: RobotSpec, controlRateHz: number): number {
  const crossingS = spec.joints.map(({ range: [low, high] }, j) =>
    movesFingertip(spec, j) ? (high - low) / fullSpeed(spec, j, 1 / controlRateHz) : 0,
  );
  return Math.max(...crossingS) + settleS;
}

export const reach: Task = {
  name: 'reach',
  episodeS,
  reachedM: 0.01,
  sampleGoal: sampleReachable,
  reward: reachReward,
  errorM: fingertipErrorM,
};
