/** Follow a point that goes round a level circle. The policy sees where it is and not where it is going. */
import { KitError } from '../error.js';
import { fingertipErrorM } from '../kinematics.js';
import type { Random } from '../random.js';
import type { RobotSpec } from '../robot-spec.js';
import { reachReward } from './reach-reward.js';
import { isReachable, sampleReachable } from './reachable-set.js';
import type { Task } from './task.js';

const radiusM = 0.03;
const roundS = 4;
/** Places of a circle that have to be reachable for its start to be drawn. */
const checked = 12;
const maxTries = 10_000;

function goalAt(start: ArrayLike<number>, timeS: number, out: Float64Array): void {
  const angle = (2 * Math.PI * timeS) / roundS;
  out[0] = start[0]! + radiusM * (Math.cos(angle) - 1);
  out[1] = start[1]! + radiusM * Math.sin(angle);
  out[2] = start[2]!;
}

const place = new Float64Array(3);

function wholeCircle(spec: RobotSpec, start: Float64Array): boolean {
  for (let i = 1; i < checked; i++) {
    goalAt(start, (roundS * i) / checked, place);
    if (!isReachable(spec, place)) return false;
  }
  return true;
}

function sampleGoal(spec: RobotSpec, random: Random, out: Float64Array): void {
  for (let tries = 0; tries < maxTries; tries++) {
    sampleReachable(spec, random, out);
    if (wholeCircle(spec, out)) return;
  }
  throw new KitError(
    'E_TASK_ROBOT',
    `${spec.name} can't go round a circle of ${2000 * radiusM} mm anywhere: none of ${maxTries} places was reachable all round`,
    'choose another task for this arm',
    'usage',
  );
}

export const track: Task = {
  name: 'track',
  episodeS: () => 6,
  reachedM: 0.015,
  sampleGoal,
  goalAt,
  reward: reachReward,
  errorM: fingertipErrorM,
};
