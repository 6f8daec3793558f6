/** The goals that judge a policy: drawn once from a seed of their own, the same for everybody, never the seed of a training run. */
import { Random } from '../random.js';
import type { RobotSpec } from '../robot-spec.js';
import type { Task } from './task.js';

export function heldOutGoals(spec: RobotSpec, task: Task, count: number): Float64Array[] {
  const random = new Random(0x5e1d0).fork(`held out: ${spec.name} ${task.name}`);
  return Array.from({ length: count }, () => {
    const goal = new Float64Array(3);
    task.sampleGoal(spec, random, goal);
    return goal;
  });
}
