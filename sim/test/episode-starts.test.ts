/** Where episodes begin, with which goals. */
import { fingertipErrorM, insideWorkspace } from '@sim2servo/models/kinematics';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { isReachable } from '@sim2servo/models/tasks/reachable-set';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import t, { type Test } from 'tap';
import { RobotEnvironment, type RobotEnvironmentOptions } from '../src/robot-environment.js';

const robot = loadRobot('desk2');
const so101 = loadRobot('so101');
const task = taskNamed('reach');
const { spec } = robot;

async function environmentOf(t: Test, options: Partial<RobotEnvironmentOptions> = {}): Promise<RobotEnvironment> {
  const environment = await RobotEnvironment.create({ robot, task, controlRateHz: 50, randomise: false, ...options });
  t.teardown(() => environment.dispose());
  return environment;
}

t.test('episodes start at rest, anywhere within the soft limits, told to stay, with a goal of the task', async t => {
  const environment = await environmentOf(t, { randomise: true });
  const random = new Random(8);
  const starts: number[][] = [];
  for (let i = 0; i < 300; i++) {
    environment.reset(random);
    const { position, velocity, target, targetVelocity, actions } = environment.control;
    starts.push([...position]);
    t.strictSame(target, position);
    t.ok([velocity, targetVelocity, actions].every(values => values.every(value => value === 0)));
  }
  for (const [j, { range }] of spec.joints.entries()) {
    const angles = starts.map(start => start[j]!);
    const [low, high] = [range[0] + spec.safety.softLimit, range[1] - spec.safety.softLimit];
    const width = high - low;
    t.ok(Math.min(...angles) > low - 0.02 && Math.max(...angles) < high + 0.02);
    t.ok(Math.min(...angles) < low + 0.05 * width && Math.max(...angles) > high - 0.05 * width);
  }
});

t.test('an episode of hold starts at its goal and is pushed off it', async t => {
  const environment = await environmentOf(t, {
    robot,
    task: taskNamed('hold'),
  });
  const still = new Float32Array(spec.joints.length);
  let furthest = 0;
  for (let episode = 0; episode < 3; episode++) {
    environment.reset(new Random(episode));
    t.ok(environment.error < 1e-9);
    for (let i = 0; i < 100; i++) {
      environment.step(still);
      furthest = Math.max(furthest, environment.error);
    }
  }
  t.ok(furthest > 0.005, `who does nothing is pushed ${(1000 * furthest).toFixed(1)} mm away`);
  t.ok(furthest < 0.1, 'and the servos still hold');
});

/** Positions are measured with a count or two of noise. */
function roomy(of: RobotSpec): RobotSpec {
  const { floorM, columnM } = of.workspace!;
  return { ...of, workspace: { floorM: floorM - 0.002, columnM: columnM - 0.002 } };
}

t.test('starts and goals of an arm on a desk lie in its workspace', async t => {
  const environment = await environmentOf(t, { robot: so101, task, controlRateHz: 100, randomise: true });
  const random = new Random(2);
  for (let i = 0; i < 50; i++) {
    environment.reset(random);
    t.ok(insideWorkspace(roomy(so101.spec), environment.control.position));
    t.ok(environment.control.goal[2]! >= so101.spec.workspace!.floorM);
  }
});

t.test(
  'starts on the way to a goal are at all distances of it, and goals stay uniform over the reachable set',
  async t => {
    const environment = await environmentOf(t, {
      robot: so101,
      task,
      nearStarts: 1,
    });
    const random = new Random(12);
    const episodes = 2000;
    const distancesM: number[] = [];
    let behind = 0;
    for (let i = 0; i < episodes; i++) {
      environment.reset(random);
      const { position, goal } = environment.control;
      if (!insideWorkspace(roomy(so101.spec), position)) t.fail(`episode ${i} starts outside the workspace`);
      if (!isReachable(so101.spec, goal)) t.fail(`the goal of episode ${i} is out of reach`);
      distancesM.push(fingertipErrorM(so101.spec, position, goal));
      if (goal[0]! < 0) behind++;
    }
    const shareBelow = (limitM: number) => distancesM.filter(distanceM => distanceM < limitM).length / episodes;
    t.ok(shareBelow(0.02) > 0.1, `${shareBelow(0.02)} begin next to their goal`);
    t.ok(shareBelow(0.3) < 0.9, `${1 - shareBelow(0.3)} begin far from it`);
    const uniform = heldOutGoals(so101.spec, task, episodes).filter(goal => goal[0]! < 0).length;
    t.ok(
      Math.abs(behind - uniform) < 4 * Math.sqrt(2 * 0.25 * episodes),
      `${behind} goals behind, ${uniform} held out`,
    );
  },
);

t.test('an episode that starts at its goal does so whatever share shall start on the way', async t => {
  const hold = taskNamed('hold');
  const environment = await environmentOf(t, {
    robot,
    task: hold,
    nearStarts: 1,
  });
  const random = new Random(2);
  for (let i = 0; i < 20; i++) {
    environment.reset(random);
    t.ok(fingertipErrorM(spec, environment.control.position, environment.control.goal) < 0.003);
  }
});

t.test(
  'chained episodes start where the arm has come to, with another goal; what was put there by hand is no end',
  async t => {
    const environment = await environmentOf(t, { robot: so101, chainedStarts: 1 });
    const random = new Random(7);
    environment.resetTo(
      [0.2, 0.1, 0.1],
      so101.spec.joints.map(joint => joint.home),
      random,
    );
    const action = new Float32Array(6).fill(0.5);
    const elsewhere = environment.control.position.slice();
    environment.reset(random);
    t.ok(Math.hypot(...environment.control.position.map((angle, j) => angle - elsewhere[j]!)) > 0.05);
    for (let episode = 0; episode < 3; episode++) {
      while (!environment.truncated) environment.step(action);
      const end = environment.control.position.slice();
      const goal = environment.control.goal.slice();
      environment.reset(random);
      for (const [j, angle] of environment.control.position.entries())
        t.ok(Math.abs(angle - end[j]!) < 0.01, `joint ${j} is ${angle - end[j]!} rad from where it was`);
      t.notSame(environment.control.goal, goal);
      t.ok(isReachable(so101.spec, environment.control.goal));
      t.notOk(environment.truncated);
    }
  },
);
