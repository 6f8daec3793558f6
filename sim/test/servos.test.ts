/** The simulated bus servos against their data sheets: each on a bench, nothing on its horn. */
import { Random } from '@sim2servo/models/random';
import { loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { nominalArm } from '../src/arm-variation.js';
import { ServoArm } from '../src/servo-arm.js';

const revPerMin = (2 * Math.PI) / 60;
const kgCm = 0.0980665;

/**
 * Feetech STS3215-C001 at 7.4 V: 19.5 kg·cm, 0.192 s for 60°. Robotis e-Manual, XL430-W250 at 12 V: 1.5 N·m, 61 rev/min; XL330-M288 at
 * 5 V: 0.52 N·m, 103 rev/min.
 */
const sheets: Record<string, { readonly stallNm: number; readonly noLoadRadPerS: number }> = {
  sts3215: { stallNm: 19.5 * kgCm, noLoadRadPerS: Math.PI / 3 / 0.192 },
  'xl430-w250': { stallNm: 1.5, noLoadRadPerS: 61 * revPerMin },
  'xl330-m288': { stallNm: 0.52, noLoadRadPerS: 103 * revPerMin },
};

/** A payload that weighs nothing. */
const bare = { ...nominalArm, loadScale: 1e-6 };

/** The arm's servos with links that weigh nothing, free to turn for ever. */
async function bench(t: Test, name: string) {
  const robot = loadRobot(name);
  const arm = await ServoArm.create(robot);
  t.teardown(() => arm.dispose());
  const { model } = arm.world;
  model.body_mass.fill(1e-6);
  model.body_inertia.fill(1e-9);
  model.jnt_range.fill(1e3);
  for (let i = 0; i < model.jnt_range.length; i += 2) model.jnt_range[i] = -1e3;
  model.geom_conaffinity.fill(0);
  const home = robot.spec.joints.map(joint => joint.home);
  arm.reset(home, bare, new Random(1));
  const sheet = servosInOrder(robot.spec, robot.site).map(servo => sheets['model' in servo ? servo.model : '']!);
  return { arm, home, sheet, joints: robot.spec.joints };
}

/** Everybody stays at home but joint `j`. */
const turned = (home: readonly number[], j: number, byRad: number) =>
  home.map((angle, i) => angle + (i === j ? byRad : 0));

for (const name of ['so101', 'koch']) {
  t.test(`${name}: each servo turns as fast as its sheet says, and no faster`, async t => {
    const { arm, home, sheet, joints } = await bench(t, name);
    for (const [j, { noLoadRadPerS }] of sheet.entries()) {
      arm.reset(home, bare, new Random(1));
      arm.setTargets(turned(home, j, 40));
      arm.advance(2);
      const from = arm.angle(j);
      arm.advance(0.5);
      const speed = (arm.angle(j) - from) / 0.5;
      t.ok(
        Math.abs(speed / noLoadRadPerS - 1) < 0.03,
        `${joints[j]!.name}: ${speed.toFixed(2)} of ${noLoadRadPerS.toFixed(2)} rad/s`,
      );
    }
  });

  t.test(`${name}: each servo pulls with its stall torque, and no more`, async t => {
    const { arm, home, sheet, joints } = await bench(t, name);
    const { model } = arm.world;
    for (const [j, { stallNm }] of sheet.entries()) {
      arm.reset(home, bare, new Random(1));
      const dof = model.jnt_dofadr[arm.world.id('joint', joints[j]!.name)]!;
      const own = model.dof_frictionloss[dof]!;
      // A horn that is held fast takes up what the motor's torque leaves after the gears' friction.
      model.dof_frictionloss[dof] = 100;
      arm.setTargets(turned(home, j, 3));
      arm.advance(2);
      const torque = Math.abs(arm.world.views.qfrcConstraint[dof]!) - own;
      t.ok(
        Math.abs(torque / stallNm - 1) < 0.03,
        `${joints[j]!.name}: ${torque.toFixed(3)} of ${stallNm.toFixed(3)} N·m`,
      );
    }
  });

  t.test(`${name}: a servo acts on a command after its delay, to the physics step`, async t => {
    const { arm, home, joints } = await bench(t, name);
    for (const j of joints.keys()) {
      arm.reset(home, bare, new Random(1));
      arm.setTargets(home);
      arm.advance(0.5);
      const still = arm.angle(j);
      arm.setTargets(turned(home, j, 0.5));
      arm.advance(arm.nominalDelayS);
      t.ok(Math.abs(arm.angle(j) - still) < 1e-6, `${joints[j]!.name} waits`);
      arm.advance(0.01);
      t.ok(arm.angle(j) - still > 1e-5, 'and goes');
    }
  });

  t.test(`${name}: positions come in steps of a 4096th of a turn, within a step or two of the truth`, async t => {
    const { arm, home } = await bench(t, name);
    for (const [j, angle] of home.entries()) {
      const steps = (arm.feedbackAngle(j) * 4096) / (2 * Math.PI);
      t.ok(Math.abs(steps - Math.round(steps)) < 1e-6);
      t.ok(Math.abs(arm.feedbackAngle(j) - angle) < (2 * 2 * Math.PI) / 4096);
    }
  });
}
