import { createControlState } from '@sim2servo/models/control-state';
import { command, sense } from '@sim2servo/models/control-step';
import { angleOfCounts, countsOfAngle } from '@sim2servo/models/hobby-servo';
import { fingertipErrorM } from '@sim2servo/models/kinematics';
import { observationNames, observationSize, observe } from '@sim2servo/models/observe';
import { Random } from '@sim2servo/models/random';
import { loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import t, { type Test } from 'tap';
import { changedArm, nominalArm } from '../src/arm-variation.js';
import type { Environment } from '../src/environment.js';
import { RobotEnvironment, type RobotEnvironmentOptions } from '../src/robot-environment.js';
import { ServoArm } from '../src/servo-arm.js';

const robot = loadRobot('desk2');
const task = taskNamed('reach');
const { spec } = robot;
const home = spec.joints.map(joint => joint.home);

async function environmentOf(t: Test, randomise: RobotEnvironmentOptions['randomise'] = false, controlRateHz = 50) {
  const environment = await RobotEnvironment.create({ robot, task, controlRateHz, randomise });
  t.teardown(() => environment.dispose());
  return environment;
}

function randomAction(random: Random, out: Float32Array): Float32Array {
  for (let i = 0; i < out.length; i++) out[i] = random.uniform(-1, 1);
  return out;
}

/** Everything that `steps` steps with random actions let see. */
function trace(environment: Environment, steps: number, seed: number): number[] {
  const random = new Random(seed);
  const action = new Float32Array(environment.actionSize);
  const seen: number[] = [];
  for (let i = 0; i < steps; i++) {
    seen.push(environment.step(randomAction(random, action)), environment.error, environment.truncated ? 1 : 0);
    seen.push(...environment.observation, ...environment.executedAction);
    if (environment.truncated) environment.reset(random);
  }
  return seen;
}

t.test('the observation of the simulated arm equals observe() on the same state', async t => {
  const environment = await environmentOf(t, true);
  const random = new Random(3);
  const action = new Float32Array(environment.actionSize);
  const expected = new Float32Array(observationSize(spec));
  environment.reset(random);
  t.equal(environment.observationSize, observationNames(spec).length);
  for (let i = 0; i < 250; i++) {
    observe(spec, environment.control, expected);
    if (!expected.every((value, k) => Object.is(value, environment.observation[k]))) t.fail(`tick ${i}`);
    environment.step(randomAction(random, action));
    if (environment.truncated) environment.reset(random);
  }
  t.ok(environment.observation.every(Number.isFinite));
});

t.test(
  'what the policy sees, is paid and has executed can be had again from a log of measurements and actions',
  async t => {
    const environment = await environmentOf(t);
    const random = new Random(4);
    const { control } = environment;
    environment.reset(random);
    const copy = createControlState(spec);
    for (const key of ['position', 'velocity', 'target', 'targetVelocity', 'goal', 'actions'] as const)
      copy[key].set(control[key]);
    const action = new Float32Array(environment.actionSize);
    const targets = new Float64Array(environment.actionSize);
    const executed = new Float32Array(environment.actionSize);
    const observation = new Float32Array(environment.observationSize);
    for (let i = 0; i < 99; i++) {
      randomAction(random, action);
      const reward = environment.step(action);
      const before = { position: copy.position.slice(), velocity: copy.velocity.slice() };
      command(spec, copy, action, 0.02, 1, targets, executed);
      sense(copy, control.position, 0.02);
      observe(spec, copy, observation);
      t.strictSame(observation, environment.observation);
      t.strictSame(executed, environment.executedAction);
      t.equal(task.reward(spec, before, executed, copy, copy.goal), reward);
    }
  },
);

t.test('each measurement is one that the converter can show', async t => {
  const environment = await environmentOf(t, true);
  const servos = servosInOrder(spec, siteOn(robot.site, 'kitlink'));
  const random = new Random(5);
  const action = new Float32Array(2);
  environment.reset(random);
  for (let i = 0; i < 90; i++) {
    environment.step(randomAction(random, action));
    for (const [j, servo] of servos.entries()) {
      const counts = countsOfAngle(servo, environment.control.position[j]! - servo.offsetRad);
      if (Math.abs(counts - Math.round(counts)) > 1e-9) t.fail(`tick ${i}: ${counts} counts`);
      t.ok(Math.abs(angleOfCounts(servo, Math.round(counts)) - environment.control.position[j]!) < 1e-12);
    }
  }
});

t.test('a step does to the arm what its pulses do: late by the rest of the period, rounded to half a µs', async t => {
  const environment = await environmentOf(t);
  const goal = heldOutGoals(spec, task, 1)[0]!;
  environment.resetTo(goal, home, new Random(6));
  const arm = await ServoArm.create(robot);
  t.teardown(() => arm.dispose());
  // The same fork of the same generator: the same noise.
  arm.reset(home, nominalArm, new Random(6));
  const measured = [arm.feedbackAngle(0), arm.feedbackAngle(1)];
  t.strictSame([...environment.control.position], measured);
  const servos = servosInOrder(spec, siteOn(robot.site, 'kitlink'));
  const rounded = (angle: number, j: number) => {
    const { pulseUs, angleRad } = servos[j]!;
    const slope = (pulseUs[1] - pulseUs[0]) / (angleRad[1] - angleRad[0]);
    return angleRad[0] + (Math.round(2 * (pulseUs[0] + (angle - angleRad[0]) * slope)) / 2 - pulseUs[0]) / slope;
  };
  arm.setTargets(measured.map(rounded));
  const random = new Random(7);
  const action = new Float32Array(2);
  for (let i = 0; i < 60; i++) {
    environment.step(randomAction(random, action));
    arm.advance(0.0095);
    arm.setTargets([...environment.control.target].map(rounded));
    arm.advance(0.0105);
    const expected = [arm.feedbackAngle(0), arm.feedbackAngle(1)];
    t.ok(
      expected.every((angle, j) => Math.abs(angle - environment.control.position[j]!) < 1e-9),
      `tick ${i}`,
    );
  }
});

t.test('the error is that of the true arm, not of what the converter shows', async t => {
  const environment = await environmentOf(t);
  environment.resetTo(heldOutGoals(spec, task, 1)[0]!, home, new Random(1));
  t.equal(environment.error, fingertipErrorM(spec, home, environment.control.goal));
  t.not(environment.error, fingertipErrorM(spec, environment.control.position, environment.control.goal));
});

t.test('an episode is cut after the time of its task, at any control rate, and never terminates', async t => {
  for (const rate of [50, 100]) {
    const environment = await environmentOf(t, false, rate);
    environment.reset(new Random(1));
    for (let i = 1; i <= Math.round(task.episodeS(spec, rate) * rate); i++) {
      t.equal(environment.truncated, false);
      environment.step([0, 0]);
      t.equal(environment.terminated, false);
    }
    t.equal(environment.truncated, true);
    environment.reset(new Random(2));
    t.equal(environment.truncated, false);
  }
});

t.test('an arm that is told to stay stays', async t => {
  const environment = await environmentOf(t);
  environment.resetTo([0.15, 0, 0.06], home, new Random(2));
  const before = environment.error;
  for (let i = 0; i < 100; i++) environment.step([0, 0]);
  t.ok(Math.abs(environment.error - before) < 0.003);
});

t.test('each episode has another arm where that is asked for, and otherwise always the same', async t => {
  const random = new Random(9);
  const randomised = await environmentOf(t, true);
  randomised.reset(random);
  const first = randomised.variation;
  randomised.reset(random);
  t.notSame(randomised.variation, first);
  for (const [randomise, expected] of [
    [false, nominalArm],
    [changedArm, changedArm],
  ] as const) {
    const environment = await environmentOf(t, randomise);
    for (let i = 0; i < 3; i++) {
      environment.reset(random);
      t.equal(environment.variation, expected);
    }
  }
});

t.test('the same seed gives the same episodes, whatever was before', async t => {
  const environment = await environmentOf(t, true);
  const other = await environmentOf(t, true);
  environment.reset(new Random(1));
  trace(environment, 37, 1);
  for (const each of [environment, other]) each.reset(new Random(2));
  t.strictSame(trace(environment, 250, 3), trace(other, 250, 3));
});

t.test('a saved environment goes on bit for bit, over the end of its episode, in this thread or another', async t => {
  const environment = await environmentOf(t, true);
  environment.reset(new Random(1));
  trace(environment, 70, 1);
  const saved = structuredClone(environment.save());
  const once = trace(environment, 150, 2);
  environment.load(saved);
  t.strictSame(environment.save(), saved);
  t.strictSame(trace(environment, 150, 2), once);
  const other = await environmentOf(t, true);
  other.load(saved);
  t.strictSame(other.observation, saved.observation);
  t.strictSame(trace(other, 150, 2), once);
  t.notSame(trace(other, 150, 3), once);
});

t.test('an action that is no number is refused: the target stays, and nothing becomes NaN', async t => {
  const environment = await environmentOf(t);
  environment.reset(new Random(1));
  environment.step([0.5, 0.5]);
  const target = environment.control.target.slice();
  const reward = environment.step([Number.NaN, 0.5]);
  t.strictSame(environment.control.target, target);
  t.ok(Number.isFinite(reward));
  t.ok(environment.observation.every(Number.isFinite));
  t.ok(environment.executedAction.every(Number.isFinite));
});

t.test('executed actions lie within ±1, whatever was asked', async t => {
  const environment = await environmentOf(t);
  environment.resetTo([0.15, 0, 0.06], home, new Random(1));
  for (let i = 0; i < 10; i++) {
    environment.step([1000, -1000]);
    t.ok(environment.executedAction.every(value => Math.abs(value) <= 1));
  }
  t.strictSame([...environment.executedAction], [1, -1], 'as far as it goes, once the joints are up to speed');
});

t.test('goal and start in the wrong order are an error', async t => {
  const environment = await environmentOf(t);
  t.throws(() => environment.resetTo(home, [0.15, 0, 0.06], new Random(1)), { code: 'E_EPISODE', exit: 'bug' });
});

t.test('the arrays that an environment hands out are the same ones always', async t => {
  const environment = await environmentOf(t, true);
  const views = () => [environment.observation, environment.executedAction, environment.control];
  const before = views();
  environment.reset(new Random(1));
  trace(environment, 120, 1);
  environment.load(environment.save());
  t.ok(views().every((view, i) => view === before[i]));
});

t.test(
  'a task whose goal moves: the reward is of the goal that was seen, and the next observation is of where it has gone',
  async t => {
    const tracking = taskNamed('track');
    const environment = await RobotEnvironment.create({ robot, task: tracking, controlRateHz: 50, randomise: true });
    t.teardown(() => environment.dispose());
    const random = new Random(8);
    environment.reset(random);
    const start = environment.control.goal.slice();
    const action = new Float32Array(spec.joints.length);
    const expected = new Float64Array(3);
    for (let tick = 1; tick <= 120; tick++) {
      const { goal, position, velocity } = environment.control;
      const [seen, before] = [goal.slice(), { position: position.slice(), velocity: velocity.slice() }];
      const reward = environment.step(randomAction(random, action));
      t.equal(reward, tracking.reward(spec, before, environment.executedAction, environment.control, seen));
      tracking.goalAt!(start, tick / 50, expected);
      t.same(environment.control.goal, expected);
      const observation = new Float32Array(environment.observationSize);
      observe(spec, environment.control, observation);
      t.same(environment.observation, observation);
    }
  },
);

for (const name of ['hold', 'track'])
  t.test(`${name}: a saved environment goes on bit for bit`, async t => {
    const task = taskNamed(name);
    const [one, other] = [
      await RobotEnvironment.create({ robot, task, controlRateHz: 50, randomise: true }),
      await RobotEnvironment.create({ robot, task, controlRateHz: 50, randomise: true }),
    ];
    t.teardown(() => {
      one.dispose();
      other.dispose();
    });
    one.reset(new Random(3));
    trace(one, 37, 4);
    other.load(structuredClone(one.save()));
    t.strictSame(trace(other, 80, 5), trace(one, 80, 5));
  });
