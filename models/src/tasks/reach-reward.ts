/** What a fingertip at a point is worth: of being close, less the effort. Reaching, holding and tracking differ in where the point is. */
import { fingertipErrorM, movesFingertip } from '../kinematics.js';
import type { Task } from './task.js';

/** Distance over which the bonus for being close falls to 1/e. */
const closeM = 0.015;
/** What an action of ±1 costs, shared among all joints … */
const effortCost = 0.05;
/** … and of a joint that has no part in it, a gripper: it shall stay where it is. */
const idleCost = 0.2;

export const reachReward: Task['reward'] = (spec, _before, executed, after, goal) => {
  const distance = fingertipErrorM(spec, after.position, goal);
  let effort = 0;
  for (let j = 0; j < executed.length; j++)
    effort += executed[j]! ** 2 * (movesFingertip(spec, j) ? effortCost / executed.length : idleCost);
  return Math.exp(-distance / closeM) - distance / spec.reachM - effort;
};
