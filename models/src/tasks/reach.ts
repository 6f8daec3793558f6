/** Bring the fingertip to a point and keep it there. The policy has to find out by itself which joint angles do that. */
import { fingertipErrorM } from '../kinematics.js';
import type { RobotSpec } from '../robot-spec.js';
import { sampleReachable } from './reachable-set.js';
import type { Task } from './task.js';

/** Distance over which the bonus for being close falls to 1/e. */
const closeM = 0.015;

export const reach: Task = {
  name: 'reach',
  episodeS: 2,
  reachedM: 0.01,
  sampleGoal: sampleReachable,
  reward(spec: RobotSpec, _before, executed, after, goal) {
    const distance = fingertipErrorM(spec, after.position, goal);
    let effort = 0;
    for (let j = 0; j < executed.length; j++) effort += executed[j]! ** 2;
    return Math.exp(-distance / closeM) - distance / spec.reachM - (0.05 * effort) / executed.length;
  },
  errorM: fingertipErrorM,
};
