import { angleOfCounts } from '@sim2servo/models/hobby-servo';
import { Random } from '@sim2servo/models/random';
import { loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import t, { type Test } from 'tap';
import { type ArmVariation, changedArm, nominalArm } from '../src/arm-variation.js';
import { ServoArm } from '../src/servo-arm.js';

const robot = loadRobot('desk2');
const servos = servosInOrder(robot.spec, siteOn(robot.site, 'kitlink'));
const limp = [Number.NaN, Number.NaN];
const degrees = Math.PI / 180;

async function armAt(t: Test, position = [0, 1.2], variation: ArmVariation = nominalArm, seed = 1): Promise<ServoArm> {
  const arm = await ServoArm.create(robot);
  t.teardown(() => arm.dispose());
  arm.reset(position, variation, new Random(seed));
  return arm;
}

/** Seconds until `condition` first holds. */
function until(arm: ServoArm, condition: () => boolean, limitS = 3): number {
  for (let seconds = 0; seconds < limitS; seconds += 0.002) {
    if (condition()) return seconds;
    arm.advance(0.002);
  }
  return Number.POSITIVE_INFINITY;
}

t.test('the arm goes where the pulses ask and stays there within backlash and friction', async t => {
  const arm = await armAt(t);
  arm.setTargets([0.8, 2]);
  arm.advance(1.5);
  for (const [j, asked] of [0.8, 2].entries())
    t.ok(
      Math.abs(arm.angle(j) - asked) < 0.7 * degrees,
      `joint ${j} is ${((arm.angle(j) - asked) / degrees).toFixed(2)}° off`,
    );
  const [shoulder, elbow] = [arm.angle(0), arm.angle(1)];
  arm.advance(1);
  t.ok(Math.abs(arm.angle(0) - shoulder) < 0.1 * degrees && Math.abs(arm.angle(1) - elbow) < 0.1 * degrees, 'it rests');
});

t.test('nothing moves before the delay is over', async t => {
  for (const delayS of [0.008, 0.012, 0.03]) {
    const arm = await armAt(t, [0, 1.2], { ...nominalArm, delayS });
    arm.setTargets([0.5, 1.2]);
    arm.advance(delayS);
    t.equal(arm.angle(0), 0, `still after ${delayS} s`);
    arm.advance(0.03);
    t.ok(arm.angle(0) > 0.005, 'then it goes');
  }
});

t.test('without a delay of its own a variation has that of the scene', async t => {
  const arm = await armAt(t);
  const other = await armAt(t, [0, 1.2], { ...nominalArm, delayS: arm.world.numeric('servo_delay_s') });
  for (const each of [arm, other]) {
    each.setTargets([0.5, 1]);
    each.advance(0.1);
  }
  t.equal(arm.angle(0), other.angle(0));
});

t.test('no joint turns faster than its servo', async t => {
  const arm = await armAt(t, [-1.4, 1.2]);
  const speed = arm.world.numeric('servo_speed_rad_s');
  arm.setTargets([1.4, 1.2]);
  let fastest = 0;
  for (let i = 0; i < 400; i++) {
    arm.advance(0.002);
    fastest = Math.max(fastest, arm.world.views.qvel[0]!);
  }
  t.ok(fastest > 0.8 * speed, `it reached ${fastest.toFixed(2)} rad/s`);
  t.ok(fastest < 1.15 * speed, 'and swung over that by little');
});

t.test('within the backlash a turning motor does not move the joint', async t => {
  const arm = await armAt(t);
  const backlash = arm.world.numeric('backlash_rad');
  arm.setTargets([0.49 * backlash, 1.2]);
  arm.advance(0.5);
  t.ok(Math.abs(arm.angle(0)) < 1e-6);
  // Slowly, so that the joint does not coast through the gap.
  const from = (start: number) => {
    arm.reset([start, 1.2], nominalArm, new Random(2));
    for (let i = 1; i <= 100; i++) {
      arm.setTargets([start * (1 - i / 100), 1.2]);
      arm.advance(0.02);
    }
    arm.advance(0.5);
    return arm.angle(0);
  };
  const { model } = arm.world;
  const stuck = (2 * model.dof_frictionloss[0]) / model.actuator_gainprm[0];
  const between = from(0.2) - from(-0.2);
  t.ok(
    between > 0.9 * backlash && between < 1.1 * (backlash + stuck),
    `coming from both sides it ends ${(between / degrees).toFixed(2)}° apart`,
  );
});

t.test('a servo without pulses is limp: it neither moves by itself nor resists a push', async t => {
  const arm = await armAt(t);
  arm.advance(1);
  t.same([arm.angle(0), arm.angle(1)], [0, 1.2]);
  const coast = (pulses: number[]) => {
    arm.reset([0, 1.2], nominalArm, new Random(3));
    arm.setTargets(pulses);
    arm.advance(0.1);
    arm.world.views.qvel[0] = 5;
    arm.advance(0.5);
    return arm.angle(0);
  };
  const held = coast([0, 1.2]);
  const pushed = coast(limp);
  t.ok(Math.abs(held) < 0.02, 'with pulses it comes back');
  t.ok(pushed > 0.1, `without it went ${pushed.toFixed(2)} rad`);
});

t.test('one servo may be limp beside one that holds', async t => {
  const arm = await armAt(t);
  arm.setTargets([Number.NaN, 2.2]);
  arm.advance(1);
  t.ok(Math.abs(arm.angle(1) - 2.2) < 0.02);
});

t.test('pulses that come again after a pause hold the arm where it is told, with no jump of the motor', async t => {
  const arm = await armAt(t);
  arm.setTargets([1, 1.2]);
  arm.advance(1);
  arm.setTargets(limp);
  arm.advance(0.1);
  arm.world.views.qvel[0] = -5;
  arm.advance(0.5);
  const there = arm.angle(0);
  t.ok(there < 0.95);
  arm.setTargets([there, arm.angle(1)]);
  let furthest = 0;
  for (let i = 0; i < 250; i++) {
    arm.advance(0.002);
    furthest = Math.max(furthest, Math.abs(arm.angle(0) - there));
  }
  t.ok(furthest < 0.01, `the joint had turned the motor: it went no further than ${furthest.toFixed(4)} rad`);
});

t.test('the offset stands between the command and where the joint goes, for all joints or for each', async t => {
  const offset = changedArm.offsetRad as number;
  for (const [offsetRad, expected] of [
    [offset, [offset, offset]],
    [
      [offset, -offset],
      [offset, -offset],
    ],
  ] as const) {
    const nominal = await armAt(t, [0.3, 1]);
    const arm = await armAt(t, [0.3, 1], { ...nominalArm, offsetRad });
    for (const each of [nominal, arm]) {
      each.setTargets([0.7, 1.6]);
      each.advance(1.5);
    }
    for (const j of [0, 1])
      t.ok(Math.abs(arm.angle(j) - nominal.angle(j) - expected[j]!) < 0.3 * degrees, `joint ${j} of [${offsetRad}]`);
  }
});

t.test('a weaker servo with a heavier load is slower to arrive', async t => {
  const arrival = async (variation: ArmVariation) => {
    const arm = await armAt(t, [0, 1.2], variation);
    arm.setTargets([0.2, 1.2]);
    return until(arm, () => arm.angle(0) > 0.18);
  };
  const nominal = await arrival(nominalArm);
  const weak = await arrival({ ...nominalArm, gainScale: 0.6, loadScale: 3 });
  t.ok(weak > nominal && weak < Number.POSITIVE_INFINITY, `${nominal.toFixed(3)} and ${weak.toFixed(3)} s`);
});

t.test('more friction leaves the joint further from its command', async t => {
  const left = async (frictionScale: number) => {
    const arm = await armAt(t, [0, 1.2], { ...nominalArm, frictionScale });
    arm.setTargets([0.3, 1.2]);
    arm.advance(2);
    return 0.3 - arm.angle(0);
  };
  t.ok((await left(4)) > (await left(1)));
});

t.test('the torque limit of the servo holds: it turns what resists less, and not what resists more', async t => {
  for (const [resistance, moves] of [
    [0.7, true],
    [1.1, false],
  ] as const) {
    const arm = await armAt(t, [-1, 1.2]);
    t.equal(arm.world.model.actuator_forcerange[1], 0.9);
    arm.world.model.dof_frictionloss[0] = resistance;
    arm.setTargets([1, 1.2]);
    arm.advance(1);
    t.equal(arm.angle(0) > 0, moves, `against ${resistance} N·m it came to ${arm.angle(0).toFixed(2)} rad`);
  }
});

t.test('feedback is what a converter of 10 bits with a little noise shows', async t => {
  const arm = await armAt(t, [0.4, 1.7]);
  for (const j of [0, 1]) {
    const counts = Array.from({ length: 4000 }, () => arm.feedbackCounts(j));
    t.ok(counts.every(count => Number.isInteger(count) && count >= 0 && count <= 1023));
    const mean = counts.reduce((sum, count) => sum + count) / counts.length;
    const std = Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length);
    t.ok(Math.abs(angleOfCounts(servos[j]!, mean) - arm.angle(j)) < 0.03 * degrees, 'without bias');
    // Rounding adds a twelfth to the variance.
    const expected = Math.sqrt(arm.world.numeric('feedback_noise_counts') ** 2 + 1 / 12);
    t.ok(Math.abs(std - expected) < 0.1 * expected, `spread ${std.toFixed(2)} counts`);
    t.ok(Math.abs(arm.feedbackAngle(j) - arm.angle(j)) < 1.5 * degrees);
  }
});

t.test('the site says which counts belong to an angle', async t => {
  const flipped = {
    ...robot,
    site: {
      ...robot.site,
      servos: robot.site.servos.map(servo => ({
        ...servo,
        feedback: { counts: [200, 300] as [number, number] },
        offsetRad: 0.1,
      })),
    },
  };
  const arm = await ServoArm.create(flipped);
  t.teardown(() => arm.dispose());
  arm.reset([0, 1.35], nominalArm, new Random(1));
  const count = arm.feedbackCounts(0);
  t.ok(count > 245 && count < 255);
  const angle = arm.feedbackAngle(0);
  t.ok(angle > 0 && angle < 0.2, 'calibration is added to the angle');
});

t.test('time may be cut as one likes: what is left of a step counts on', async t => {
  const whole = await armAt(t);
  const cut = await armAt(t);
  const pieces = new Random(5);
  for (const arm of [whole, cut]) arm.setTargets([0.9, 0.7]);
  let left = 0.4;
  while (left > 0) {
    const piece = Math.min(left, pieces.uniform(0, 0.007));
    cut.advance(piece);
    left -= piece;
  }
  whole.advance(0.4);
  t.equal(cut.angle(0), whole.angle(0));
  t.equal(cut.angle(1), whole.angle(1));
});

t.test('a reset forgets all that was: the same seed gives the same bits', async t => {
  const fresh = await armAt(t, [0.2, 1], changedArm, 9);
  const used = await armAt(t, [-1, 2], nominalArm, 4);
  used.setTargets([1, 0.5]);
  used.advance(0.3137);
  used.setTargets([-1, 0.5]);
  used.reset([0.2, 1], changedArm, new Random(9));
  const run = (arm: ServoArm) => {
    arm.setTargets([0.6, 2]);
    arm.advance(0.4);
    return [arm.save(), arm.feedbackCounts(0), arm.feedbackCounts(1)];
  };
  t.strictSame(run(used), run(fresh));
});

t.test('a saved arm goes on bit for bit, in another object and through a structured clone', async t => {
  const arm = await armAt(t, [0.2, 1], { ...changedArm, delayS: 0.03 }, 9);
  const run = (each: ServoArm) => {
    const seen: number[] = [];
    for (let i = 0; i < 50; i++) {
      each.setTargets(i % 17 === 3 ? [Number.NaN, 1] : [Math.sin(i / 5), 1 + Math.sin(i / 9)]);
      each.advance(0.0193);
      seen.push(each.angle(0), each.angle(1), each.feedbackCounts(0), each.feedbackCounts(1));
    }
    return seen;
  };
  run(arm);
  arm.setTargets([0.1, 1]);
  arm.advance(0.0077);
  const saved = structuredClone(arm.save());
  const once = run(arm);
  arm.load(saved);
  t.strictSame(run(arm), once);
  const other = await armAt(t);
  other.load(saved);
  t.strictSame(run(other), once);
});

t.test('an impossible variation is an error that names it', async t => {
  const arm = await armAt(t);
  for (const variation of [
    { ...nominalArm, delayS: -0.001 },
    { ...nominalArm, delayS: 0.2 },
    { ...nominalArm, delayS: Number.NaN },
    { ...nominalArm, offsetRad: [0.1, 0.1, 0.1] },
  ])
    t.throws(() => arm.reset([0, 1.2], variation, new Random(1)), { code: 'E_ARM_VARIATION', exit: 'usage' });
});

t.test('an arm that was just made is limp at home', async t => {
  const arm = await ServoArm.create(robot);
  t.teardown(() => arm.dispose());
  arm.advance(0.5);
  t.same(
    [arm.angle(0), arm.angle(1)],
    robot.spec.joints.map(joint => joint.home),
  );
});
