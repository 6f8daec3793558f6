import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MujocoWorld } from '../../src/mujoco-world.js';
import { sceneText } from '../../src/own-arm/scene-text.js';
import { servoModels } from '../../src/servo-models.js';
import { fourJoints, plan } from './own-arms.js';

t.test('the scene has what the simulation looks for, with the figures of each servo', async t => {
  const joints = fourJoints.joints.map((joint, j) => (j === 1 ? { ...joint, servo: 'xm430-w350' as const } : joint));
  const own = plan({ ...fourJoints, joints }, 'dynamixel');
  const path = join(t.testdir(), 'scene.xml');
  writeFileSync(path, sceneText(own));
  const world = await MujocoWorld.load(path);
  t.teardown(() => world.dispose());
  const { model } = world;
  for (const name of ['payload', 'goal', 'pan-link', 'gripper-jaw']) world.id('body', name);
  world.id('site', 'fingertip');
  const speeds = world.numerics('servo_speed_rad_s', 5);
  for (const [j, { name, servo, rangeRad }] of own.joints.entries()) {
    const known = servoModels[servo];
    const joint = world.id('joint', name);
    t.ok(
      model.jnt_range[2 * joint] < rangeRad[0] && model.jnt_range[2 * joint + 1] > rangeRad[1],
      `${name}: stops outside`,
    );
    t.ok(Math.abs(speeds[j]! - known.noLoadRadPerS) < 1e-3);
    const actuator = world.id('actuator', name);
    t.equal(model.actuator_gainprm[10 * actuator], known.stiffnessNmPerRad);
    t.ok(Math.abs(model.actuator_forcerange[2 * actuator + 1] - known.stallNm - known.frictionNm) < 1e-9);
  }
  t.equal(speeds[1]!.toFixed(2), '4.82', '46 rev/min');
});

t.test('what comes from a file name cannot end the comment or an attribute', t => {
  const text = sceneText({ ...plan(), source: 'a--><b--.xml', name: 'x"<' });
  t.match(text, '<!-- Written by kit init from a-><b-.xml.');
  t.match(text, '<mujoco model="x&quot;&lt;">');
  t.end();
});
