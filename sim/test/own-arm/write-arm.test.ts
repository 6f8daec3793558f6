import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OwnBus } from '@sim2servo/models/arm-answers';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { reach } from '@sim2servo/models/tasks/reach';
import t from 'tap';
import { checkRobot } from '../../src/checks/check-robot.js';
import { writeArm } from '../../src/own-arm/write-arm.js';
import { RobotEnvironment } from '../../src/robot-environment.js';
import { fourJoints, plan } from './own-arms.js';

for (const bus of ['feetech', 'dynamixel', 'kitlink'] as OwnBus[])
  t.test(
    `an arm from answers on ${bus}: it loads, every check passes, its environment steps, goals can be drawn`,
    async t => {
      const folder = join(t.testdir(), 'own');
      const joints = fourJoints.joints
        .slice(0, 3)
        .map(joint => ({ ...joint, rangeDeg: [-70, 70] as [number, number] }));
      await writeArm(folder, bus === 'kitlink' ? plan({ joints }, bus) : plan(fourJoints, bus));
      t.same(readdirSync(folder).sort(), ['robot.json', 'scene.xml', 'site.json']);
      const robot = loadRobot(folder);
      for (const { name, passed, detail } of await checkRobot(robot)) t.ok(passed, `${name}: ${detail}`);
      t.equal(heldOutGoals(robot.spec, reach, 20).length, 20);
      const environment = await RobotEnvironment.create({ robot, task: reach, controlRateHz: 50, randomise: true });
      t.teardown(() => environment.dispose());
      environment.reset(new Random(3));
      const action = new Float32Array(environment.actionSize).fill(0.4);
      let reward = 0;
      while (!environment.truncated) reward += environment.step(action);
      t.ok(Number.isFinite(reward) && environment.observation.every(Number.isFinite));
    },
  );

t.test('it is written whole or not at all, and never over something', async t => {
  const room = t.testdir({ taken: {}, file: '' });
  for (const name of ['taken', 'file'])
    await t.rejects(writeArm(join(room, name), plan()), { code: 'E_ROBOT_TARGET', exit: 'usage' }, name);
  await t.rejects(writeArm(join(room, 'file', 'inner'), plan()), { code: 'E_ROBOT_WRITE' });
  // MuJoCo refuses the scene: a geom of no known type.
  const broken = plan();
  const [first, ...rest] = broken.joints;
  const link = { ...first!.link, geoms: [{ type: 'banana', size: 1 }] };
  await t.rejects(writeArm(join(room, 'broken'), { ...broken, joints: [{ ...first!, link }, ...rest] }), {
    code: 'E_SCENE',
  });
  t.same(readdirSync(room).sort(), ['file', 'taken'], 'nothing is left behind');
});

t.test('who comes first while it is being written keeps the folder', async t => {
  const room = t.testdir();
  const folder = join(room, 'own');
  const writing = writeArm(folder, plan());
  mkdirSync(folder);
  writeFileSync(join(folder, 'mine'), '');
  await t.rejects(writing, { code: 'E_ROBOT_TARGET' });
  t.ok(existsSync(join(folder, 'mine')));
  t.same(readdirSync(room), ['own']);
});
