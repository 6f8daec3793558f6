import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { gymTaskNamed } from '../../src/gym/gym-task-named.js';

const scene = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../scenes/${name}`, import.meta.url)), 'utf8');

t.test('saved in the middle of an episode, it goes on bit for bit, in another environment too', async t => {
  for (const name of ['Reacher-v5', 'Hopper-v5', 'Pendulum-v1']) {
    const task = gymTaskNamed(`gym/${name}`);
    const [one, other] = [await task.create(), await task.create()];
    const random = new Random(2);
    const draw = () => task.actuators.map(() => random.uniform(-1, 1));
    one.reset(random);
    for (let i = 0; i < 7; i++) one.step(draw());
    other.reset(random);
    other.load(structuredClone(one.save()));
    t.same(other.exactObservation, one.exactObservation);
    t.same(other.executedAction, one.executedAction);
    for (let i = 0; i < 20; i++) {
      const action = draw();
      t.equal(other.step(action), one.step(action));
      t.same(other.exactObservation, one.exactObservation);
    }
    one.dispose();
    other.dispose();
  }
});

t.test('an episode is cut after its steps, and a reset begins another', async t => {
  const task = gymTaskNamed('gym/Reacher-v5');
  const environment = await task.create();
  t.teardown(() => environment.dispose());
  for (let episode = 0; episode < 2; episode++) {
    environment.reset(new Random(episode));
    for (let i = 1; i <= 50; i++) {
      t.equal(environment.truncated, false);
      environment.step([0.1, 0.1]);
    }
    t.ok(environment.truncated && !environment.terminated);
  }
});

t.test('an action outside the box is that at its edge, and said so', async t => {
  const environment = await gymTaskNamed('gym/Reacher-v5').create();
  t.teardown(() => environment.dispose());
  const rewards = [
    [3, -7],
    [1, -1],
  ].map(action => {
    environment.resetTo([0, 0, 0.1, 0.1], [0, 0, 0, 0]);
    const reward = environment.step(action);
    t.same([...environment.executedAction], [1, -1]);
    return reward;
  });
  t.equal(rewards[0], rewards[1]);
});

t.test('actions are scaled to the range of the actuator', async t => {
  // Pushed twice as hard, the cart is twice as fast: ±1 is the whole of the ±3 that its motor takes, not cut off before.
  const environment = await gymTaskNamed('gym/InvertedPendulum-v5').create();
  t.teardown(() => environment.dispose());
  const speedAfter = (action: number) => {
    environment.resetTo([0, 0], [0, 0]);
    environment.step([action]);
    return environment.exactObservation[2]!;
  };
  t.ok(Math.abs(speedAfter(1) / speedAfter(0.5) - 2) < 0.001);
});

t.test('a model of the user’s own is run instead of ours, if it fits', async t => {
  const path = join(t.testdir(), 'mine.xml');
  const load = (text: string) => {
    writeFileSync(path, text);
    return gymTaskNamed('gym/Reacher-v5').create(path);
  };
  const [ours, theirs] = [
    await gymTaskNamed('gym/Reacher-v5').create(),
    await load(scene('reacher.xml').replace('gear="200"', 'gear="100"')),
  ];
  for (const environment of [ours, theirs]) {
    environment.resetTo([0, 0, 0.1, 0.1], [0, 0, 0, 0]);
    environment.step([0.5, 0]);
  }
  t.ok(theirs.exactObservation[6]! < 0.7 * ours.exactObservation[6]!, 'half the torque');
  ours.dispose();
  theirs.dispose();
  await t.rejects(load(scene('inverted-pendulum.xml')), { code: 'E_SCENE_SIZE', hint: /shoulder, elbow/ });
  await t.rejects(load(scene('reacher.xml').replace('body name="fingertip"', 'body name="nose"')), {
    code: 'E_SCENE_NAME',
    message: /fingertip/,
  });
  await t.rejects(load('<mujoco>'), { code: 'E_SCENE' });
  await t.rejects(gymTaskNamed('gym/Pendulum-v1').create(path), { code: 'E_SCENE' });
});

t.test('a state of another size is refused', async t => {
  for (const name of ['gym/Reacher-v5', 'gym/Pendulum-v1']) {
    const environment = await gymTaskNamed(name).create();
    t.throws(() => environment.resetTo([0, 0, 0], [0]), { code: 'E_EPISODE', message: /not 3 and 1/ });
    environment.dispose();
  }
});

t.test('an unknown task is answered with those there are', async t => {
  t.throws(() => gymTaskNamed('gym/Reacher-v4'), {
    code: 'E_TASK_UNKNOWN',
    message: /gym\/Reacher-v4/,
    hint: /gym\/Pendulum-v1, gym\/Reacher-v5.*gym\/HalfCheetah-v5/,
  });
});
