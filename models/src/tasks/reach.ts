/** Bring the fingertip to a point and keep it there. The policy has to find out by itself which joint angles do that. */
import { fingertipErrorM } from '../kinematics.js';
import { reachReward } from './reach-reward.js';
import { sampleReachable } from './reachable-set.js';
import type { Task } from './task.js';

export const reach: Task = {
  name: 'reach',
  episodeS: 2,
  reachedM: 0.01,
  sampleGoal: sampleReachable,
  reward: reachReward,
  errorM: fingertipErrorM,
};
