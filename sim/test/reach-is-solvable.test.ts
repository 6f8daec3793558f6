/**
 * The task can be done with the actions that a policy has, on the nominal arm and on any that training draws: a controller that sees
 * what a policy sees (measured joints, goal) integrates its way to a posture that it looked up. Nothing of it is in the task.
 */
import { fingertipErrorM } from '@sim2servo/models/kinematics';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import t from 'tap';
import { RobotEnvironment } from '../src/robot-environment.js';

const robot = loadRobot('desk2');
const task = taskNamed('reach');
const { spec } = robot;
const n = spec.joints.length;
/** Share of what is left that a tick adds to the target. */
const gain = 0.1;

/** A posture that puts the fingertip on the goal: ever closer guesses around the best one so far. */
function postureFor(goal: Float64Array, random: Random): number[] {
  let best = spec.joints.map(joint => joint.home);
  let least = fingertipErrorM(spec, best, goal);
  const guess = (posture: (joint: (typeof spec.joints)[number], j: number) => number) => {
    const guessed = spec.joints.map((joint, j) =>
      Math.max(joint.range[0], Math.min(joint.range[1], posture(joint, j))),
    );
    const error = fingertipErrorM(spec, guessed, goal);
    if (error < least) [best, least] = [guessed, error];
  };
  for (let i = 0; i < 1000; i++) guess(({ range }) => random.uniform(...range));
  for (let width = 0.2; width > 1e-4; width /= 1.02) guess((_, j) => best[j]! + random.uniform(-width, width));
  return best;
}

/** Mean true error over the last half second of each of `count` episodes, m. */
async function errors(randomise: boolean, count: number): Promise<number[]> {
  const environment = await RobotEnvironment.create({ robot, task, controlRateHz: 50, randomise });
  const random = new Random(11);
  const action = new Float32Array(n);
  const judged = 25;
  const results: number[] = [];
  for (let episode = 0; episode < count; episode++) {
    environment.reset(random);
    const last: number[] = [];
    const posture = postureFor(environment.control.goal, random);
    do {
      for (let j = 0; j < n; j++) {
        const left = posture[j]! - environment.control.position[j]!;
        action[j] = Math.max(-1, Math.min(1, (gain * left) / spec.action.scale));
      }
      environment.step(action);
      last.push(environment.error);
    } while (!environment.truncated);
    results.push(last.slice(-judged).reduce((sum, error) => sum + error, 0) / judged);
  }
  environment.dispose();
  return results;
}

for (const [arm, randomise] of [
  ['the nominal arm', false],
  ['arms as training draws them', true],
] as const)
  t.test(`a simple controller reaches random goals within 5 mm with ${arm}`, async t => {
    const found = await errors(randomise, 100);
    const mean = found.reduce((sum, error) => sum + error, 0) / found.length;
    const reached = found.filter(error => error < task.reachedM).length;
    t.comment(
      `mean ${(1000 * mean).toFixed(2)} mm, worst ${(1000 * Math.max(...found)).toFixed(2)} mm, ${reached} of 100 reached`,
    );
    t.ok(mean < 0.005, `mean error ${(1000 * mean).toFixed(2)} mm`);
    t.ok(reached >= 95, `${reached} of 100 within ${1000 * task.reachedM} mm`);
  });
