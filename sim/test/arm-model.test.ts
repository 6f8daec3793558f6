import { loadRobot } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { ArmModel } from '../src/arm-model.js';
import { changedArm, nominalArm } from '../src/arm-variation.js';
import { MujocoWorld } from '../src/mujoco-world.js';

const robot = loadRobot('desk2');

async function nominal(t: Test) {
  const world = await MujocoWorld.load(robot.scenePath);
  t.teardown(() => world.dispose());
  return { world, arm: new ArmModel(robot.spec, world) };
}

function arrays({ model }: MujocoWorld) {
  const copy = (values: ArrayLike<number>) => Float64Array.from(values);
  return {
    friction: copy(model.dof_frictionloss),
    gain: copy(model.actuator_gainprm),
    bias: copy(model.actuator_biasprm),
    mass: copy(model.body_mass),
    inertia: copy(model.body_inertia),
    subtree: copy(model.body_subtreemass),
    weight: copy(model.dof_invweight0),
  };
}

t.test('a variation scales friction, gain and payload of the scene, and nothing else', async t => {
  const { world, arm } = await nominal(t);
  const before = arrays(world);
  arm.vary({ ...nominalArm, frictionScale: 1.5, gainScale: 0.8, loadScale: 2 });
  for (const joint of [0, 1]) arm.power(joint, true);
  const after = arrays(world);
  const payload = world.id('body', 'payload');
  t.strictSame(
    after.friction,
    before.friction.map(value => value * 1.5),
  );
  t.strictSame(
    after.mass,
    before.mass.map((value, body) => (body === payload ? value * 2 : value)),
  );
  t.strictSame(
    after.inertia,
    before.inertia.map((value, i) => (Math.floor(i / 3) === payload ? value * 2 : value)),
  );
  t.strictSame(
    after.gain,
    before.gain.map(value => value * 0.8),
  );
  t.strictSame(
    after.bias,
    before.bias.map((value, i) => (i % 10 === 1 ? value * 0.8 : value)),
  );
  t.equal(
    after.subtree[0],
    after.mass.reduce((sum, value) => sum + value),
    'what MuJoCo derives follows',
  );
});

t.test('variations do not add up: the nominal arm is the same after any other', async t => {
  const { world, arm } = await nominal(t);
  arm.vary(nominalArm);
  const before = arrays(world);
  arm.vary(changedArm);
  t.notSame(arrays(world), before);
  arm.vary(nominalArm);
  t.strictSame(arrays(world), before);
});

t.test('a servo without power pulls at nothing, neither by position nor by damping', async t => {
  const { world, arm } = await nominal(t);
  const scene = arrays(world);
  arm.vary(nominalArm);
  t.ok(
    arrays(world).gain.every(value => value === 0),
    'an arm begins without power',
  );
  t.ok(arrays(world).bias.every(value => value === 0));
  arm.power(0, true);
  arm.power(1, true);
  t.strictSame(arrays(world), scene);
  arm.power(1, false);
  t.ok(arrays(world).gain.every((value, i) => (i < 10 ? value === scene.gain[i] : value === 0)));
});

t.test('a joint that the scene lacks is an error that says which', async t => {
  const { world } = await nominal(t);
  const { spec } = robot;
  const joints = spec.joints.map((joint, j) => (j === 0 ? { ...joint, name: 'wrist' } : joint));
  t.throws(() => new ArmModel({ ...spec, joints }, world), { code: 'E_SCENE_NAME', message: /joint named 'wrist'/ });
});
