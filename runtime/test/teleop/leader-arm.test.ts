import type { ServoLink, ServoMotion, ServoState } from '@sim2servo/firmware-bridge/servo-link';
import { createControlState } from '@sim2servo/models/control-state';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { LeaderArm } from '../../src/teleop/leader-arm.js';
import { robot } from '../support/arm-fixture.js';
import { VirtualClock } from '../support/virtual-board.js';

const { spec } = robot;
const dtS = 0.02;

/** A leader in memory: a posture, and whether it answers. Whatever would move it fails the test. */
function leaderFixture(changes: Partial<ServoState> = {}) {
  const clock = new VirtualClock();
  const posture = [0.3, 1.4];
  const leader = { posture, answers: true, failure: undefined as Error | undefined, closed: 0, clock };
  const never = async () => {
    throw new Error('a leader is only read');
  };
  const motion: ServoMotion = {
    async read(state) {
      if (leader.failure !== undefined) throw leader.failure;
      if (!leader.answers) return false;
      state.position.set(leader.posture);
      state.sampledAtUs = clock.nowUs();
      Object.assign(state, changes);
      return true;
    },
    write: () => {
      throw new Error('a leader is only read');
    },
    arm: never,
    halt: never,
  };
  const link: ServoLink = {
    open: async () => motion,
    async close() {
      leader.closed++;
    },
  };
  return { leader, clock, open: () => LeaderArm.open({ spec, link, clock }) };
}

/** One tick of 20 ms of the loop; the read that it begins has come in at its end. */
async function tick(arm: LeaderArm, clock: VirtualClock, state: ReturnType<typeof createControlState>) {
  arm.prepare();
  const targets = state.target.slice();
  await new Promise(resolve => setImmediate(resolve));
  arm.aim(state, dtS, targets);
  state.target.set(targets);
  clock.advance(20_000);
  return targets;
}

t.test('the arm comes slowly to the leader, then follows it tick by tick', async t => {
  const { leader, clock, open } = leaderFixture();
  const arm = await open();
  const state = createControlState(spec);
  state.target.set([-0.205, 1.4]);
  let ticks = 0;
  while (!arm.following) {
    const before = state.target.slice();
    const targets = await tick(arm, clock, state);
    t.ok(Math.abs(targets[0]! - before[0]!) <= 0.5 * dtS + 1e-12, 'half a radian a second');
    if (!arm.following) t.match(arm.words(), /comes to the leader's posture: \d\.\d\d rad to go/);
    ticks++;
    if (ticks > 100) throw new Error('it never arrives');
  }
  t.equal(ticks, 49, '0.505 rad at 0.5 rad/s, less the 0.02 rad that count as arrived');
  leader.posture = [0.9, 1.1];
  t.same([...(await tick(arm, clock, state))], [0.9, 1.1]);
  t.equal(arm.words(), 'follows the leader');
});

t.test('a leader that goes further than the follower may is followed to the end of the range', async t => {
  const { leader, clock, open } = leaderFixture();
  const arm = await open();
  const state = createControlState(spec);
  state.target.set([0.3, 1.4]);
  await tick(arm, clock, state);
  t.ok(arm.following);
  leader.posture = [2, 0];
  t.same([...(await tick(arm, clock, state))], [1.5, 0.1]);
});

t.test('a leader that falls silent stops the run within 100 ms of its last posture', async t => {
  const { leader, clock, open } = leaderFixture();
  const arm = await open();
  const state = createControlState(spec);
  await tick(arm, clock, state);
  leader.answers = false;
  const lastUs = clock.nowUs() - 20_000;
  await t.rejects(
    async () => {
      for (let i = 0; i < 10; i++) await tick(arm, clock, state);
    },
    { code: 'E_LEADER_SILENT', exit: 'noDevice', message: /gave no posture for 80 ms/ },
  );
  t.ok(clock.nowUs() - lastUs <= 80_000, `${clock.nowUs() - lastUs} µs`);
});

t.test(
  'a posture that is no number is none: the last good one counts, then the run stops and names the joint',
  async t => {
    const { leader, clock, open } = leaderFixture();
    const arm = await open();
    const state = createControlState(spec);
    state.target.set([0.3, 1.4]);
    await tick(arm, clock, state);
    leader.posture = [0.5, Number.NaN];
    t.same([...(await tick(arm, clock, state))], [0.3, 1.4]);
    await t.rejects(
      async () => {
        for (let i = 0; i < 10; i++) await tick(arm, clock, state);
      },
      { code: 'E_LEADER_SILENT', message: /the measured position of joint 'elbow' is NaN/ },
    );
  },
);

t.test('a leader that is unplugged stops the run in the next tick, with the reason', async t => {
  const { leader, clock, open } = leaderFixture();
  const arm = await open();
  const state = createControlState(spec);
  await tick(arm, clock, state);
  leader.failure = new KitError('E_PORT_CLOSED', 'the port has gone', 'check the cable', 'noDevice');
  await t.rejects(tick(arm, clock, state), {
    code: 'E_LEADER_GONE',
    message: /the leader has gone: the port has gone/,
  });
});

t.test('a long time between the opening and the first tick is no silence', async t => {
  const { clock, open } = leaderFixture();
  const arm = await open();
  clock.advance(5_000_000);
  const state = createControlState(spec);
  await t.resolves(tick(arm, clock, state));
});

t.test('a leader whose servos have torque is refused, and its port given back', async t => {
  const { leader, open } = leaderFixture({ device: 'held', reason: 'its torque was on before this host came' });
  await t.rejects(open(), { code: 'E_LEADER_STIFF', exit: 'safetyStop', message: /held: its torque was on/ });
  t.equal(leader.closed, 1);
});

t.test('a leader that does not answer is refused, and its port given back', async t => {
  const { leader, open } = leaderFixture();
  leader.answers = false;
  await t.rejects(open(), { code: 'E_NO_SAMPLE' });
  t.equal(leader.closed, 1);
});
