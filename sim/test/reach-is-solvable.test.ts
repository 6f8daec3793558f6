/**
 * The task can be done with the actions that a policy has, on the nominal arm and on any that training draws: a controller that sees
 * what a policy sees (measured joints, goal) integrates its way to a posture that it looked up. Nothing of it is in the task.
 */
import { readdirSync } from 'node:fs';
import { toAction } from '@sim2servo/models/action';
import { fingertipErrorM, insideWorkspace } from '@sim2servo/models/kinematics';
import { Random } from '@sim2servo/models/random';
import { loadRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import t from 'tap';
import { RobotEnvironment } from '../src/robot-environment.js';

const task = taskNamed('reach');
const controlRateHz = 50;
/** Share of what is left that a tick adds to the target. */
const gain = 0.1;
const roomM = 0.02;

/** A posture that puts the fingertip on the goal: ever closer guesses around the best one so far. */
function postureFor(spec: RobotSpec, goal: Float64Array, random: Random): number[] {
  let best = spec.joints.map(joint => joint.home);
  let least = fingertipErrorM(spec, best, goal);
  const guess = (posture: (joint: (typeof spec.joints)[number], j: number) => number) => {
    const guessed = spec.joints.map((joint, j) =>
      Math.max(joint.range[0], Math.min(joint.range[1], posture(joint, j))),
    );
    const error = fingertipErrorM(spec, guessed, goal);
    if (error < least && insideWorkspace(spec, guessed)) [best, least] = [guessed, error];
  };
  for (let i = 0; i < 1000; i++) guess(({ range }) => random.uniform(...range));
  for (let width = 0.2; width > 1e-4; width /= 1.02) guess((_, j) => best[j]! + random.uniform(-width, width));
  return best;
}

/** The spec with more room round everything: joints don't all arrive at once, so the way is not quite straight. */
function roomier(spec: RobotSpec): RobotSpec {
  const { workspace } = spec;
  if (workspace === undefined) return spec;
  return { ...spec, workspace: { floorM: workspace.floorM + roomM, columnM: workspace.columnM + roomM } };
}

/** Whether the arm comes from one posture to another on the straight way between them: what stands on a desk may have to go round. */
function freeWay(spec: RobotSpec, from: ArrayLike<number>, to: readonly number[]): boolean {
  const pieces = 20;
  for (let i = 0; i <= pieces; i++)
    if (
      !insideWorkspace(
        spec,
        to.map((end, j) => from[j]! + (i / pieces) * (end - from[j]!)),
      )
    )
      return false;
  return true;
}

/** Mean true error over the last half second of each of `count` episodes, m. */
async function errors(name: string, randomise: boolean, count: number): Promise<number[]> {
  const robot = loadRobot(name);
  const { spec } = robot;
  const n = spec.joints.length;
  const roomy = roomier(spec);
  const environment = await RobotEnvironment.create({ robot, task, controlRateHz, randomise });
  const random = new Random(11);
  const action = new Float32Array(n);
  const targets = new Float64Array(n);
  const judged = 25;
  const results: number[] = [];
  for (let episode = 0; episode < count; episode++) {
    const last: number[] = [];
    let posture: number[];
    do {
      environment.reset(random);
      posture = postureFor(spec, environment.control.goal, random);
    } while (!freeWay(roomy, environment.control.position, posture));
    do {
      const { target, position } = environment.control;
      for (let j = 0; j < n; j++) targets[j] = target[j]! + gain * (posture[j]! - position[j]!);
      toAction(spec, targets, environment.control, 1 / controlRateHz, action);
      environment.step(action);
      last.push(environment.error);
    } while (!environment.truncated);
    results.push(last.slice(-judged).reduce((sum, error) => sum + error, 0) / judged);
  }
  environment.dispose();
  return results;
}

for (const name of readdirSync(shippedRobots)) {
  // It goes straight at its posture, and now and again an arm that stands on a desk props itself up on its own fingers on the way.
  const goodOf100 = name === 'desk2' ? 95 : 85;
  for (const [arm, randomise] of [
    ['the nominal arm', false],
    ['arms as training draws them', true],
  ] as const)
    t.test(`a simple controller reaches random goals with ${name}: ${arm}`, async t => {
      const found = (await errors(name, randomise, 100)).sort((a, b) => a - b);
      const good = found.slice(0, goodOf100);
      const mean = good.reduce((sum, error) => sum + error, 0) / good.length;
      const reached = found.filter(error => error < task.reachedM).length;
      t.comment(
        `mean of the best ${goodOf100}: ${(1000 * mean).toFixed(2)} mm, worst of all ${(1000 * found.at(-1)!).toFixed(2)} mm, ${reached} of 100 reached`,
      );
      t.ok(mean < 0.005, `mean error ${(1000 * mean).toFixed(2)} mm`);
      t.ok(reached >= goodOf100, `${reached} of 100 within ${1000 * task.reachedM} mm`);
    });
}
