/** Two arms on two emulated buses in one virtual time: the real control loop on one, a hand on the other. */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import { servoScale } from '@sim2servo/models/servo-scale';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { endlessGoal } from '@sim2servo/runtime/goal-source';
import { runArm } from '@sim2servo/runtime/run-arm';
import { LeaderArm } from '@sim2servo/runtime/teleop/leader-arm';
import { targetPolicy } from '@sim2servo/runtime/teleop/target-policy';
import t, { type Test } from 'tap';
import { robotBus } from '../../src/rig/bus/create-bus.js';
import type { Sts3215 } from '../../src/rig/bus/sts3215.js';
import { Lockstep } from '../../src/rig/lockstep.js';
import { feetechArm } from '../support/feetech-arm.js';

const robot = feetechArm();
const { spec } = robot;
const scales = robot.site.servos.map(servo => {
  if (servo.kind === 'hobby-pwm') throw new Error('a bus servo is expected');
  return servoScale(servo);
});
const controlRateHz = 50;
const home = spec.joints.map(joint => joint.home);

/** @param hand where the leader is held at a time, rad: the hand is stronger than gravity */
async function bench(t: Test, hand: (timeS: number) => readonly number[]) {
  const follower = await robotBus<Sts3215>(robot);
  const leader = await robotBus<Sts3215>(robot);
  t.teardown(() => {
    follower.dispose();
    leader.dispose();
  });
  const clock = new Lockstep(follower, leader);
  leader.mechanics.counts = servo => Math.round(scales[servo]!.countsOfAngle(hand(leader.nowUs / 1e6)[servo]!));
  const link = (device: number): ServoLink => createLink({ robot, clock, open: async () => clock.open(device) });
  const horn = (servo: number) => scales[servo]!.angleOfCounts(follower.mechanics.counts(servo));
  const trace: { timeS: number; angle: number }[] = [];
  follower.stepped = timeUs => trace.push({ timeS: timeUs / 1e6, angle: horn(0) });
  return {
    follower,
    leader,
    clock,
    trace,
    angles: () => spec.joints.map((_, j) => horn(j)),
    /** Follows for so many seconds after the arming; `each` is called before each tick. */
    async follow(seconds: number, each: (timeS: number) => void = () => {}) {
      // Until its first step a servo says where it was made.
      await clock.waitUntil(20_000);
      const source = await LeaderArm.open({ spec, link: link(1), clock });
      const policy = targetPolicy(spec, controlRateHz, source);
      const report = await runArm({
        robot,
        link: link(0),
        clock,
        task: taskNamed('reach'),
        controlRateHz,
        policy: {
          ...policy,
          rehearse: () => {
            each(clock.nowUs() / 1e6);
            return policy.rehearse();
          },
        },
        drivenBy: { policyDigest: '', drivenBy: 'leader' },
        goals: endlessGoal,
        seconds,
        virtualTime: true,
      });
      await source.close();
      return { report, source };
    },
    /** When the follower's first horn was last seen to move, within 20 ms, s. */
    lastMotionS() {
      for (let i = trace.length - 1; i >= 10; i--)
        if (Math.abs(trace[i]!.angle - trace[i - 10]!.angle) > 0.012) return trace[i]!.timeS;
      return 0;
    },
  };
}

const sway = (timeS: number) => [home[0]! + 0.6 * Math.sin(timeS * 2), home[1]! + 0.3];

t.test('the follower comes to the leader without a jump, then does what it does; the leader stays limp', async t => {
  const arms = await bench(t, timeS => [0.8, timeS < 6 ? 1.6 : 1.6 + 0.4 * Math.sin(3 * (timeS - 6))]);
  const { report, source } = await arms.follow(8);
  t.equal(report.end.kind, 'done');
  t.equal(report.missed, 0, 'the leader costs no tick');
  t.equal(report.stale, 0);
  t.ok(source.following);
  // Limp until it is armed it falls; from then on:
  const fastest = arms.trace.reduce((most, { timeS, angle }, i) => {
    const before = arms.trace[i - 25];
    return timeS < 0.5 || timeS > 5 || before === undefined
      ? most
      : Math.max(most, Math.abs(angle - before.angle) / 0.05);
  }, 0);
  t.ok(fastest > 0.3 && fastest < 0.75, `on the way to the leader it goes at ${fastest.toFixed(2)} rad/s`);
  const last = 1.6 + 0.4 * Math.sin(3 * (arms.clock.nowUs() / 1e6 - 6));
  const [first, second] = arms.angles();
  t.ok(Math.abs(first! - 0.8) < 0.06, `${first}`);
  t.ok(Math.abs(second! - last) < 0.15, `${second} follows ${last}`);
  t.same(
    arms.leader.servos.map(servo => servo.get('torqueEnable')),
    [0, 0],
  );
  t.same(
    arms.follower.servos.map(servo => servo.get('torqueEnable')),
    [1, 1],
    'held at the end',
  );
});

/** What is done to the leader in mid-motion, and what the run says of it. */
const faults: Readonly<
  Record<string, { readonly code: string; readonly words: RegExp; do(arms: Awaited<ReturnType<typeof bench>>): void }>
> = {
  'that falls silent': {
    code: 'E_LEADER_SILENT',
    words: /the leader gave no posture for \d+ ms/,
    do: ({ leader }) => {
      leader.wire.tamper = () => undefined;
    },
  },
  'one of whose servos falls silent': {
    code: 'E_LEADER_SILENT',
    words: /the leader gave no posture/,
    do: ({ leader }) => leader.servos[1]!.restart(10),
  },
  'that is unplugged': {
    code: 'E_LEADER_GONE',
    words: /the leader has gone: the port has gone/,
    do: ({ clock }) => clock.unplug(1),
  },
};

for (const [name, fault] of Object.entries(faults))
  t.test(`a leader ${name} holds the follower within 100 ms`, async t => {
    const arms = await bench(t, sway);
    let faultS = Number.NaN;
    const { report } = await arms.follow(20, timeS => {
      // In the middle of the sway, where it is fastest.
      if (Number.isNaN(faultS) && timeS > 6.2 && Math.abs(Math.cos(timeS * 2)) > 0.99) {
        faultS = timeS;
        fault.do(arms);
      }
    });
    t.match(report.end, { kind: 'failed', error: { code: fault.code, exit: 'noDevice' } });
    t.match(report.end.reason, fault.words);
    t.equal(report.end.haltError, undefined, 'the follower was told to hold');
    await arms.clock.waitUntil(arms.clock.nowUs() + 1_000_000);
    const stillMs = (arms.lastMotionS() - faultS) * 1000;
    t.ok(stillMs > 0 && stillMs <= 100, `the follower stands ${stillMs.toFixed(0)} ms after the fault`);
    t.ok(arms.follower.servos.every(servo => servo.get('torqueEnable') === 1));
  });

t.test('a leader with torque is refused before the follower is armed', async t => {
  const arms = await bench(t, sway);
  arms.leader.servos[0]!.set('torqueEnable', 1);
  await t.rejects(arms.follow(1), { code: 'E_LEADER_STIFF' });
  t.same(
    arms.follower.servos.map(servo => servo.get('torqueEnable')),
    [0, 0],
  );
});
