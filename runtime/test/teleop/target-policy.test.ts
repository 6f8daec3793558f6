import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { endlessGoal } from '../../src/goal-source.js';
import { type TargetSource, targetPolicy } from '../../src/teleop/target-policy.js';
import { fixture, robot } from '../support/arm-fixture.js';

const { spec } = robot;
const still = () => {};
const words = () => '';

function drive(source: TargetSource, maxTicks = 100) {
  return fixture(still, { policy: targetPolicy(spec, 50, source), goals: endlessGoal, maxTicks });
}

t.test('what is aimed at is executed, to a millionth of a radian, and observed like any run', async t => {
  const aims: number[][] = [];
  const { loop, sink } = drive({
    aim(state, _dtS, targets) {
      targets[0] = state.target[0]! + 0.01 * Math.sin(aims.length / 15);
      targets[1] = state.target[1]! - 0.004;
      aims.push([...targets]);
    },
    words,
  });
  const report = await loop.run();
  t.equal(report.end.kind, 'done');
  const run = sink.ticks.filter(tick => tick.episode === 1);
  t.equal(run.length, 100);
  for (const [i, tick] of run.entries()) {
    const aim = aims[sink.ticks.length - run.length + i]!;
    for (const j of [0, 1]) t.ok(Math.abs(tick.target[j]! - aim[j]!) < 1e-6, `tick ${i}: ${tick.target[j]}, ${aim[j]}`);
    t.ok(tick.observation.some(value => value !== 0));
  }
});

t.test('a source that sets nothing moves nothing', async t => {
  const { loop, board } = drive({ aim: () => {}, words });
  await loop.run();
  for (const { targets } of board.writes) t.same(targets, board.writes[0]!.targets);
});

t.test('a jump becomes a motion within the limits of velocity and acceleration', async t => {
  const { loop, sink } = drive({ aim: (_state, _dtS, targets) => targets.set([-1, 2.4]), words });
  await loop.run();
  let before = [0, 0];
  for (const [i, tick] of sink.ticks.entries()) {
    const last = sink.ticks[i - 1];
    if (last === undefined) continue;
    for (const [j, joint] of spec.joints.entries()) {
      const velocity = (tick.target[j]! - last.target[j]!) / 0.02;
      t.ok(Math.abs(velocity) <= joint.maxVelocity + 1e-9);
      t.ok(Math.abs(velocity) - Math.abs(before[j]!) <= joint.maxAcceleration * 0.02 + 1e-6);
      before = before.map((value, k) => (k === j ? velocity : value));
    }
  }
  t.ok(Math.abs(sink.ticks.at(-1)!.target[0]! + 1) < 1e-3, 'and it gets there');
});

t.test('a source that throws holds the arm, and its error is the end of the run', async t => {
  let ticks = 0;
  const gone = new KitError('E_LEADER_GONE', 'the leader has gone', 'check its cable', 'noDevice');
  const { loop, board } = drive({
    aim() {
      if (++ticks > 60) throw gone;
    },
    words,
  });
  const report = await loop.run();
  t.match(report.end, { kind: 'failed', reason: 'the leader has gone', error: gone });
  t.same(board.halts, ['hold']);
});

t.test('an aim that is no number is refused by the shield, and stops the arm like a policy', async t => {
  const { loop, board } = drive({ aim: (_state, _dtS, targets) => targets.fill(Number.NaN), words });
  const report = await loop.run();
  t.equal(report.end.kind, 'stopped');
  t.match(report.end.reason, /not a finite number/);
  for (const { targets } of board.writes) t.ok(targets.every(Number.isFinite));
  t.same(board.halts, ['hold']);
});
