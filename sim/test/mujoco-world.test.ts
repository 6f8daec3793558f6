import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingertip } from '@sim2servo/models/kinematics';
import { loadRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import fc from 'fast-check';
import t from 'tap';
import { MujocoWorld } from '../src/mujoco-world.js';

const robot = loadRobot('desk2');

for (const name of readdirSync(shippedRobots))
  t.test(`MuJoCo puts the fingertip where the frames of robot.json put it: ${name}`, async t => {
    const robot = loadRobot(name);
    const world = await MujocoWorld.load(robot.scenePath);
    t.teardown(() => world.dispose());
    const site = world.id('site', 'fingertip');
    const joints = robot.spec.joints.map(joint => world.model.jnt_qposadr[world.id('joint', joint.name)] as number);
    const expected = new Float64Array(3);
    fc.assert(
      fc.property(
        fc.tuple(...robot.spec.joints.map(({ range }) => fc.double({ min: range[0], max: range[1], noNaN: true }))),
        position => {
          const { qpos, siteXpos } = world.views;
          for (const [j, at] of joints.entries()) qpos[at] = position[j]!;
          world.placed();
          fingertip(robot.spec, position, expected);
          for (let axis = 0; axis < 3; axis++)
            if (Math.abs(siteXpos[3 * site + axis]! - expected[axis]!) > 1e-9) return false;
          return true;
        },
      ),
      { numRuns: 500 },
    );
  });

for (const name of readdirSync(shippedRobots))
  t.test(`the joints of the scene turn at least as far as robot.json lets them: ${name}`, async t => {
    const robot = loadRobot(name);
    const world = await MujocoWorld.load(robot.scenePath);
    t.teardown(() => world.dispose());
    for (const { name, range } of robot.spec.joints) {
      const joint = world.id('joint', name);
      t.ok(world.model.jnt_range[2 * joint] <= range[0] && world.model.jnt_range[2 * joint + 1] >= range[1], name);
    }
  });

t.test('a loaded state goes on bit for bit', async t => {
  const world = await MujocoWorld.load(robot.scenePath);
  t.teardown(() => world.dispose());
  const drive = (steps: number) => {
    for (let i = 0; i < steps; i++) {
      world.views.ctrl[0] = Math.sin(i / 20);
      world.views.ctrl[1] = 1.2 + Math.cos(i / 30);
      world.step();
    }
    return world.save();
  };
  drive(137);
  const saved = world.save();
  const once = drive(300);
  world.load(saved);
  t.strictSame(world.save(), saved);
  t.strictSame(drive(300), once);
});

t.test('a state goes on in another world as in its own: the commands travel with it', async t => {
  const [own, other] = [await MujocoWorld.load(robot.scenePath), await MujocoWorld.load(robot.scenePath)];
  t.teardown(() => {
    own.dispose();
    other.dispose();
  });
  own.views.ctrl.set([0.9, 2]);
  other.views.ctrl.set([-1, 0.3]);
  for (let i = 0; i < 20; i++) own.step();
  for (let i = 0; i < 33; i++) other.step();
  other.load(own.save());
  // Nobody sends a command from here on.
  for (let i = 0; i < 50; i++) {
    own.step();
    other.step();
    t.strictSame(other.save(), own.save(), `step ${i}`);
  }
});

t.test('loading a state puts bodies and sites where its joints are', async t => {
  const world = await MujocoWorld.load(robot.scenePath);
  t.teardown(() => world.dispose());
  const { qpos } = world.views;
  qpos[0] = 0.7;
  world.placed();
  const saved = world.save();
  const { bodyXpos, siteXpos } = world.views;
  const there = [Float64Array.from(bodyXpos), Float64Array.from(siteXpos)];
  world.reset();
  world.placed();
  t.notSame(Float64Array.from(siteXpos), there[1]);
  world.load(saved);
  t.strictSame([Float64Array.from(bodyXpos), Float64Array.from(siteXpos)], there);
});

t.test('views stay good while other worlds make the memory grow', async t => {
  const world = await MujocoWorld.load(robot.scenePath);
  t.teardown(() => world.dispose());
  world.views.qpos[0] = 0.25;
  const before = world.views.qpos.buffer;
  const others: MujocoWorld[] = [];
  while (world.views.qpos.buffer === before && others.length < 2000)
    others.push(await MujocoWorld.load(robot.scenePath));
  t.not(world.views.qpos.buffer, before, `the memory grew after ${others.length} worlds`);
  t.equal(world.views.qpos[0], 0.25);
  world.views.qpos[0] = 0.5;
  world.placed();
  t.ok(world.views.siteXpos[1]! > 0, 'what is written into a view still reaches MuJoCo');
  for (const other of others) other.dispose();
});

t.test('a scene that MuJoCo refuses is an error that names the file', async t => {
  const path = join(t.testdir(), 'scene.xml');
  for (const [what, text] of [
    ['no XML', 'nonsense'],
    ['no such joint', '<mujoco><actuator><position joint="wrist"/></actuator></mujoco>'],
  ] as const) {
    writeFileSync(path, text);
    await t.rejects(MujocoWorld.load(path), { code: 'E_SCENE', exit: 'usage', message: new RegExp(path) }, what);
  }
  await t.rejects(MujocoWorld.load(`${path}.gone`), { code: 'E_SCENE', message: /ENOENT/ });
});

t.test('a name that the scene lacks is an error that says which', async t => {
  const world = await MujocoWorld.load(robot.scenePath);
  t.teardown(() => world.dispose());
  t.throws(() => world.id('joint', 'wrist'), {
    code: 'E_SCENE_NAME',
    message: "the MJCF scene has no joint named 'wrist'",
  });
  t.throws(() => world.numeric('phlogiston'), { code: 'E_SCENE_NAME', message: /numeric named 'phlogiston'/ });
  t.equal(world.numeric('servo_delay_s'), 0.012);
});

t.test('a scene gives one number for all joints or one for each, and nothing else', async t => {
  const koch = await MujocoWorld.load(loadRobot('koch').scenePath);
  t.teardown(() => koch.dispose());
  t.same([...koch.numerics('servo_speed_rad_s', 6)], [6.39, 6.39, 10.79, 10.79, 10.79, 10.79]);
  t.same([...koch.numerics('backlash_rad', 3)], [0.00436, 0.00436, 0.00436]);
  t.throws(() => koch.numerics('servo_speed_rad_s', 5), {
    code: 'E_SCENE_NUMERIC',
    message: /6 numbers for servo_speed_rad_s, and 5 were asked for/,
  });
});
