import { limiters } from '@sim2servo/models/shield';
import t from 'tap';
import { listedGoals } from '../src/goal-source.js';
import type { Policy } from '../src/policy-session.js';
import { fixture, functionPolicy, goal, robot } from './support/arm-fixture.js';
import type { VirtualBoard, VirtualClock } from './support/virtual-board.js';

const still = () => {};
/** Swings both joints. */
const swing = () => {
  let tick = 0;
  return (_observation: Float32Array, action: Float32Array) => {
    action.fill(Math.sin(tick++ / 12) * 0.4);
  };
};
const rampTicks = robot.spec.safety.armingRampS * 50;

t.test('pursues every goal for its time, then holds', async t => {
  const { loop, board, sink } = fixture(swing());
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  t.equal(report.motion.motion, 'holding');
  t.same(board.halts, ['hold']);
  t.equal(report.targets.length, 2);
  t.equal(report.ticks, rampTicks + 200);
  t.equal(report.missed, 0);
  t.same([...new Set(sink.ticks.map(tick => tick.episode))], [0, 1, 2]);
  for (const episode of [1, 2]) {
    const ticks = sink.ticks.filter(tick => tick.episode === episode);
    t.same(
      ticks.map(tick => tick.step),
      Array.from({ length: 100 }, (_, i) => i),
      'steps count without a gap',
    );
    t.same(
      ticks.map(tick => tick.truncated),
      Array.from({ length: 100 }, (_, i) => i === 99),
      'only the last tick is truncated',
    );
  }
});

t.test('what is written is what is recorded, and what the shield let through', async t => {
  const { loop, board, sink } = fixture((_o, action) => action.fill(1));
  await loop.run();
  // The first write keeps the arm where it is, before the first tick.
  t.same(
    board.writes.slice(1).map(write => write.targets),
    sink.ticks.map(tick => [...tick.target]),
  );
  for (const tick of sink.ticks) {
    for (const [j, joint] of robot.spec.joints.entries()) {
      t.ok(tick.target[j]! <= joint.range[1] && tick.target[j]! >= joint.range[0]);
      t.ok(Math.abs(tick.actionExecuted[j]!) <= 1);
    }
  }
  t.ok(sink.ticks.some(tick => (tick.limiters & limiters.softLimit) !== 0 || (tick.limiters & limiters.range) !== 0));
});

t.test('a restart asks for no torque: nothing is written or armed before the arming', async t => {
  const { loop, board } = fixture(swing());
  t.equal(board.arms, 0);
  t.equal(loop.status().motion, 'limp');
  board.loses = () => true;
  await t.rejects(loop.run(), { code: 'E_NO_SAMPLE', exit: 'noDevice' });
  t.equal(board.arms, 0);
  t.same(board.writes, []);
});

t.test('arming keeps the arm where it is and lets motion in slowly', async t => {
  const { loop, board, sink } = fixture((_o, action) => action.fill(1));
  await loop.run();
  t.same(board.writes[0]!.targets, [0.3, 1.4]);
  const first = sink.ticks[0]!;
  t.ok(Math.abs(first.target[0]! - 0.3) < 1e-3);
  const speed = (i: number) => Math.abs(sink.ticks[i + 1]!.target[0]! - sink.ticks[i]!.target[0]!) / 0.02;
  for (const [j, joint] of robot.spec.joints.entries())
    for (let i = 0; i < rampTicks - 1; i++)
      t.ok(
        Math.abs(sink.ticks[i + 1]!.target[j]! - sink.ticks[i]!.target[j]!) / 0.02 <=
          (joint.maxVelocity * (i + 2)) / rampTicks + 1e-9,
      );
  t.ok(speed(0) < speed(10));
});

t.test('missed ticks are skipped and counted, never caught up in a burst', async t => {
  let tick = 0;
  const slow = (_o: Float32Array, action: Float32Array, clock: VirtualClock) => {
    action.fill(0.1);
    if (tick++ === 120) clock.advance(45_000);
  };
  const { loop, board, sink } = fixture(slow, {}, { deadlineUs: 200_000 });
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  t.equal(report.missed, 2);
  t.equal(report.ticks, rampTicks + 200 - 2);
  const gaps = board.writes.slice(2).map((write, i) => write.atUs - board.writes[i + 1]!.atUs);
  t.ok(Math.min(...gaps) > 10_000, 'no two writes close together');
  const late = sink.ticks.findIndex(record => record.late);
  t.ok(sink.ticks[late]!.late);
  t.equal(sink.ticks[late + 1]!.step, sink.ticks[late]!.step + 3, 'the log shows the gap');
  t.equal(report.targets.length, 2, 'episodes keep their time');
});

t.test('a missed tick has a reason', async t => {
  const slowPolicy = (_o: Float32Array, action: Float32Array, clock: VirtualClock) => {
    action.fill(0.1);
    if (clock.nowUs() > 3e6 && clock.nowUs() < 3.02e6) clock.advance(30_000);
  };
  const { loop: working } = fixture(slowPolicy, {}, { deadlineUs: 200_000 });
  t.same((await working.run()).missedBy, { away: 0, read: 0, work: 1 });

  const once = (board: VirtualBoard, act: () => void) => {
    let done = false;
    return () => {
      if (!done && board.clock.nowUs() > 3e6) {
        done = true;
        act();
      }
    };
  };
  const { loop: sleeping, board: bed } = fixture(swing(), {}, { deadlineUs: 200_000 });
  const oversleep = once(bed, () => bed.clock.advance(50_000));
  const wait = bed.clock.waitUntil.bind(bed.clock);
  bed.clock.waitUntil = async timeUs => {
    await wait(timeUs);
    oversleep();
  };
  t.same((await sleeping.run()).missedBy, { away: 2, read: 0, work: 0 });

  const { loop: waiting, board: slow } = fixture(swing(), {}, { deadlineUs: 200_000 });
  const dawdle = once(slow, () => slow.clock.advance(50_000));
  const read = slow.read.bind(slow);
  slow.read = async (state, timeoutUs) => {
    dawdle();
    return read(state, timeoutUs);
  };
  t.same((await waiting.run()).missedBy, { away: 0, read: 2, work: 0 });
});

t.test('ticks are locked to a board whose clock is off', async t => {
  for (const truePeriodUs of [19_900, 20_000, 20_100]) {
    const { loop, board } = fixture(swing(), { goals: listedGoals([goal], 600) }, { truePeriodUs });
    const report = await loop.run();
    t.equal(report.missed, 0);
    t.equal(report.stale, 0);
    t.equal(report.relocks, 0);
    const phases = board.writes.slice(-300).map(write => (write.atUs - 1_003_210) % truePeriodUs);
    t.ok(
      Math.max(...phases) - Math.min(...phases) < 200,
      `phase wanders by ${Math.max(...phases) - Math.min(...phases)} µs`,
    );
    t.ok(report.timing.sensorToServoUs.p99 < 8_100, 'the answer makes the next pulse');
  }
});

t.test("a policy at half the board's rate sees the newest sample", async t => {
  const { loop } = fixture(swing(), { controlRateHz: 25 });
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  t.equal(report.stale, 0);
  t.equal(report.missed, 0);
  t.ok(report.timing.sensorToWriteUs.max < 3_000);
});

t.test("a bus without output periods runs free at the policy's rate", async t => {
  const { loop, board } = fixture(swing(), { controlRateHz: 100 }, { periodUs: 0 });
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  const writes = board.writes.slice(1);
  t.ok(Math.abs((writes.at(-1)!.atUs - writes[0]!.atUs) / (writes.length - 1) - 10_000) < 1);
});

t.test('a policy faster than the board is refused before anything moves', async t => {
  const { loop, board } = fixture(swing(), { controlRateHz: 120 });
  await t.rejects(loop.run(), { code: 'E_RATE_BUS', exit: 'usage' });
  t.equal(board.arms, 0);
});

t.test('the signal holds the arm', async t => {
  const abort = new AbortController();
  let tick = 0;
  const { loop, board } = fixture(
    (_o, action) => {
      action.fill(0.1);
      if (tick++ === 70) abort.abort();
    },
    { signal: abort.signal },
  );
  const report = await loop.run();
  t.equal(report.end.kind, 'interrupted');
  t.equal(report.end.error, undefined);
  t.equal(report.motion.motion, 'holding');
  t.same(board.halts, ['hold']);
  t.equal(report.ticks, 71);
});

t.test('a signal comes through in virtual time, too, where nothing ever waits', async t => {
  const abort = new AbortController();
  setImmediate(() => abort.abort());
  const { loop } = fixture(swing(), { signal: abort.signal, virtualTime: true, goals: listedGoals([goal], 1e6) });
  t.equal((await loop.run()).end.kind, 'interrupted');
});

t.test('a signal that comes before the arming moves nothing', async t => {
  const { loop, board } = fixture(still, { signal: AbortSignal.abort() });
  await t.rejects(loop.run(), { code: 'E_INTERRUPTED', exit: 'interrupt' });
  t.equal(board.arms, 0);
});

t.test('a policy that only has promises runs just as well', async t => {
  const synchronous = fixture(swing());
  const inner = functionPolicy(swing());
  const policy: Policy = {
    ...inner,
    async infer() {
      await Promise.resolve();
      inner.infer();
    },
    async rehearse() {},
  };
  const promised = fixture(still, { policy });
  const [a, b] = [await synchronous.loop.run(), await promised.loop.run()];
  t.equal(a.ticks, b.ticks);
  t.same(
    synchronous.sink.ticks.map(tick => [...tick.target]),
    promised.sink.ticks.map(tick => [...tick.target]),
  );
});

t.test('the time limit ends a run before its goals do', async t => {
  const { loop } = fixture(swing(), { maxTicks: 150 });
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  t.match(report.end.reason, /time is over/);
  t.equal(report.ticks, rampTicks + 150);
  t.equal(report.targets.length, 1);
});

t.test('status comes about five times a second', async t => {
  const seen: number[] = [];
  const { loop, clock } = fixture(swing(), { onStatus: () => seen.push(clock.nowUs()) });
  await loop.run();
  t.ok(seen.length >= 20 && seen.length <= 26, `${seen.length} in 5 s`);
});

t.test('the same run twice gives the same records', async t => {
  const one = fixture(swing());
  const two = fixture(swing());
  await one.loop.run();
  await two.loop.run();
  const plain = (f: typeof one) => f.sink.ticks.map(({ timeS: _, ...tick }) => tick);
  t.same(plain(one), plain(two));
});

t.test('an overseer is shown every fresh tick, says how fast the arm may go, and stops it', async t => {
  const seen: { ticks: number; fresh: number }[] = [];
  const overseer = {
    share: 0.25,
    stop: '',
    ticked({ ticks, stale }: { ticks: number; stale: number }) {
      seen.push({ ticks, fresh: ticks - stale });
      if (seen.length === 120) overseer.stop = 'enough';
    },
  };
  const act = (_: Float32Array, action: Float32Array) => {
    action.fill(1);
  };
  const { loop, board, sink } = fixture(act, { overseer });
  board.loses = index => index === 90;
  const report = await loop.run();
  t.match(report.end, { kind: 'stopped', reason: 'enough', error: { code: 'E_SAFETY_STOP' } });
  t.same(board.halts, ['hold']);
  t.equal(seen.length, 120);
  t.equal(seen.at(-1)!.fresh, 120);
  t.equal(seen.at(-1)!.ticks, 121, 'the stale one is not shown');
  const fastest = Math.max(
    ...sink.ticks.slice(1).map(({ target }, i) => Math.abs(target[0]! - sink.ticks[i]!.target[0]!)),
  );
  t.ok(fastest <= 0.25 * 4 * 0.02 + 1e-9 && fastest > 0.01, `${fastest} rad a tick`);
});
