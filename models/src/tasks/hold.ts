/** Stay at a point while something pushes: in simulation a force on the fingertip, anew every half second. */
import { fingertipErrorM } from '../kinematics.js';
import { reachReward } from './reach-reward.js';
import { sampleReachable } from './reachable-set.js';
import type { Task } from './task.js';

export const hold: Task = {
  name: 'hold',
  episodeS: () => 3,
  reachedM: 0.01,
  startsAtGoal: true,
  push: { maxN: 1, everyS: 0.5 },
  sampleGoal: sampleReachable,
  reward: reachReward,
  errorM: fingertipErrorM,
};
