/** The shipped scenes say what the table of servos says. That the simulated servo then does so, servos.test.ts measures. */
import { ownBuses, type ServoModelName } from '@sim2servo/models/arm-answers';
import { loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { servoKinds } from '@sim2servo/models/site';
import t from 'tap';
import { MujocoWorld } from '../src/mujoco-world.js';
import { servoModels, servosOn } from '../src/servo-models.js';

for (const name of ['so101', 'koch', 'desk2'])
  t.test(`${name}'s scene has the figures of its servos`, async t => {
    const { spec, site, scenePath } = loadRobot(name);
    const world = await MujocoWorld.load(scenePath);
    t.teardown(() => world.dispose());
    const { model } = world;
    const each = (numeric: string) => world.numerics(numeric, spec.joints.length);
    const [speed, backlash, noise] = [each('servo_speed_rad_s'), each('backlash_rad'), each('feedback_noise_counts')];
    for (const [j, servo] of servosInOrder(spec, site).entries()) {
      const known = servoModels[servo.kind === 'hobby-pwm' ? 'mg996r' : servo.model];
      const joint = spec.joints[j]!.name;
      const dof = model.jnt_dofadr[world.id('joint', joint)]!;
      const actuator = world.id('actuator', joint);
      // LeRobot gives the elbow of Koch a higher gain, and so does its scene.
      const ownGain = name === 'koch' && joint === 'elbow-flex';
      const pairs: [string, number, number][] = [
        ['damping', model.dof_damping[dof], known.dampingNmSPerRad],
        ['armature', model.dof_armature[dof], known.armatureKgM2],
        ['friction', model.dof_frictionloss[dof], known.frictionNm],
        ['torque', model.actuator_forcerange[2 * actuator + 1], known.stallNm + known.frictionNm],
        ['speed', speed[j]!, known.noLoadRadPerS],
        ['backlash', backlash[j]!, known.backlashRad],
        ['noise', noise[j]!, known.noiseCounts],
        ['delay', world.numeric('servo_delay_s'), known.delayS],
      ];
      if (!ownGain)
        pairs.push(
          ['kp', model.actuator_gainprm[10 * actuator], known.stiffnessNmPerRad],
          ['kv', -model.actuator_biasprm[10 * actuator + 2], known.kvNmSPerRad],
        );
      for (const [what, inScene, inTable] of pairs)
        t.ok(Math.abs(inScene / inTable - 1) < 0.002, `${joint} ${what}: ${inScene} and ${inTable}`);
    }
  });

t.test('every bus has servos of its kind, and each servo hangs on one bus', t => {
  const all = ownBuses.flatMap(bus => servosOn(bus).map(name => [bus, name] as const));
  for (const [bus, name] of all) t.equal(servoModels[name].kind, servoKinds[bus]);
  t.same(all.map(([, name]) => name).sort(), (Object.keys(servoModels) as ServoModelName[]).sort());
  t.end();
});
