/** What goes wrong while an arm moves: each fault ends in a held arm and says why. */
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { fixture, robot } from './support/arm-fixture.js';

const still = () => {};
/** Swings both joints. */
const swing = () => {
  let tick = 0;
  return (_observation: Float32Array, action: Float32Array) => {
    action.fill(Math.sin(tick++ / 12) * 0.4);
  };
};

t.test('a NaN action is refused for the tick and the arm keeps its target', async t => {
  let tick = 0;
  const { loop, sink } = fixture((_o, action) => action.fill(tick++ === 80 ? Number.NaN : 0.3));
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  t.equal(report.refused, 1);
  t.equal(report.limiterTicks.nonFinite, 1);
  t.same([...sink.ticks[80]!.target], [...sink.ticks[79]!.target]);
  t.same([...sink.ticks[80]!.actionExecuted], [0, 0]);
  t.ok(Number.isNaN(sink.ticks[80]!.actionRequested[0]));
});

t.test('NaN actions in a row latch a fault', async t => {
  let tick = 0;
  const { loop, board, sink } = fixture((_o, action) => action.fill(tick++ >= 80 ? Number.NaN : 0.3));
  const report = await loop.run();
  t.equal(report.end.kind, 'stopped');
  t.match(report.end.reason, /not a finite number for 5 ticks/);
  t.match(report.end.error, { code: 'E_SAFETY_STOP', exit: 'safetyStop' });
  t.equal(report.motion.motion, 'stopped');
  t.same(board.halts, ['hold']);
  t.equal(sink.ticks.length, 84, 'the tick that latches is not executed');
});

t.test('a lost sample makes a stale tick that stays where it is', async t => {
  const { loop, board, sink } = fixture((_o, action) => action.fill(0.5));
  board.loses = index => index === 90;
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  t.equal(report.stale, 1);
  const at = sink.ticks.findIndex(tick => tick.stale);
  t.ok(
    Math.abs(sink.ticks[at]!.target[0]! - sink.ticks[at - 1]!.target[0]!) <= robot.spec.joints[0]!.maxVelocity * 0.02,
  );
  t.equal(report.missed, 0, 'it was written, so no tick is missing');
});

t.test('samples that stay away stop the arm', async t => {
  const { loop, board } = fixture(swing());
  board.loses = index => index >= 90;
  const report = await loop.run();
  t.equal(report.end.kind, 'stopped');
  t.match(report.end.reason, /no fresh position for 5 ticks/);
  t.same(board.halts, ['hold']);
});

t.test('a position that is not a number never reaches the policy, and stops the arm by name', async t => {
  const { loop, board } = fixture((observation, action) => {
    t.ok(observation.every(Number.isFinite));
    action.fill(0.1);
  });
  board.spoil = (state, index) => {
    if (index >= 90) state.position[1] = Number.NaN;
  };
  const report = await loop.run();
  t.equal(report.end.kind, 'stopped');
  t.match(report.end.reason, /position of joint 'elbow' is NaN/);
});

t.test('one sample that is not a number is passed over', async t => {
  const { loop, board } = fixture(swing());
  board.spoil = (state, index) => {
    if (index === 90) state.position[1] = Number.NaN;
  };
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  t.equal(report.stale, 1);
});

t.test('no arming from a position that is not a number', async t => {
  const { loop, board } = fixture(swing());
  board.spoil = state => {
    state.position[0] = Number.NaN;
  };
  await t.rejects(loop.run(), { code: 'E_POSITION', message: /'shoulder' is NaN/ });
  t.equal(board.arms, 0);
});

t.test("a device that latches stops the loop with the device's reason", async t => {
  const { loop, board } = fixture((_o, action, clock) => {
    action.fill(0.2);
    if (clock.nowUs() > 4_000_000) {
      board.device = 'latched';
      board.reason = 'no motion for 60 ms';
    }
  });
  const report = await loop.run();
  t.equal(report.end.kind, 'stopped');
  t.match(report.end.reason, /latched: no motion for 60 ms/);
  t.match(report.end.error, { exit: 'safetyStop' });
});

t.test('a device that was reset is not moved again', async t => {
  const { loop, board } = fixture((_o, action, clock) => {
    action.fill(0.2);
    if (clock.nowUs() > 4_000_000) board.device = 'limp';
  });
  const report = await loop.run();
  t.equal(report.end.kind, 'stopped');
  t.match(report.end.reason, /limp by itself/);
  t.equal(board.arms, 1);
});

t.test('a stop whose hold fails claims no hold, and says which joint is not held', async t => {
  const { loop, board } = fixture((_o, action, clock) => {
    action.fill(0.2);
    if (clock.nowUs() > 4_000_000) board.device = 'limp';
  });
  board.halt = async () => {
    throw new KitError('E_HALT_REFUSED', 'NOT held (no torque): servo 2', 'support the arm', 'safetyStop');
  };
  const { end } = await loop.run();
  t.equal(end.haltError, 'NOT held (no torque): servo 2');
  t.match(end.error, { code: 'E_SAFETY_STOP', message: /^the arm was stopped: .*limp.*; the hold failed: NOT held/ });
});

t.test('a host that was away too long finds the firmware latched and stops', async t => {
  let tick = 0;
  const { loop } = fixture((_o, action, clock) => {
    action.fill(0.2);
    if (tick++ === 100) clock.advance(90_000);
  });
  const report = await loop.run();
  t.equal(report.end.kind, 'stopped');
  t.match(report.end.reason, /no motion for 60 ms/);
});

t.test('a port that vanishes ends the run with its own error, and says that nobody could be told', async t => {
  let tick = 0;
  const { loop, board } = fixture((_o, action) => {
    action.fill(0.1);
    if (tick++ === 70) board.failure = new KitError('E_PORT_CLOSED', 'the port went away', 'plug it in', 'noDevice');
  });
  const report = await loop.run();
  t.equal(report.end.kind, 'failed');
  t.match(report.end.error, { code: 'E_PORT_CLOSED', exit: 'noDevice' });
  t.match(report.end.haltError, /port went away/);
  t.equal(report.motion.motion, 'stopped');
  t.equal(report.ticks, 70);
});

t.test('an arming that the device refuses moves nothing and keeps its error', async t => {
  const { loop, board } = fixture(still);
  board.arm = async () => {
    throw new KitError('E_ARM_REFUSED', 'another configuration', 'configure it', 'noDevice');
  };
  await t.rejects(loop.run(), { code: 'E_ARM_REFUSED' });
  t.same(board.writes, []);
  t.same(board.halts, ['hold']);
});

t.test('a record that was dropped ends the episode, so that no episode has a silent hole', async t => {
  const { loop, sink } = fixture(swing());
  sink.full = index => index === 100;
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  t.equal(report.recordsDropped, 1);
  for (const [i, tick] of sink.ticks.entries()) {
    const before = sink.ticks[i - 1];
    if (before?.episode === tick.episode) t.equal(tick.step, before.step + 1);
  }
  t.same([...new Set(sink.ticks.map(tick => tick.episode))], [0, 1, 2, 3]);
});

t.test('a log that can not be written any more holds the arm', async t => {
  let tick = 0;
  const { loop, sink, board } = fixture((_o, action) => {
    action.fill(0.1);
    if (tick++ === 70) sink.broken = new KitError('E_LOG_WRITE', 'no space left', 'free some');
  });
  const report = await loop.run();
  t.equal(report.end.kind, 'failed');
  t.match(report.end.error, { code: 'E_LOG_WRITE' });
  t.same(board.halts, ['hold']);
  t.equal(report.motion.motion, 'holding');
});

t.test('an error in the policy holds the arm and is not lost', async t => {
  let tick = 0;
  const { loop, board } = fixture(() => {
    if (tick++ === 70) throw new TypeError('boom');
  });
  const report = await loop.run();
  t.equal(report.end.kind, 'failed');
  t.ok(report.end.error instanceof TypeError);
  t.same(board.halts, ['hold']);
});
