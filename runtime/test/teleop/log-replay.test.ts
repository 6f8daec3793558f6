import t from 'tap';
import { LogReplay } from '../../src/teleop/log-replay.js';
import type { RecordedMotion } from '../../src/teleop/recorded-motion.js';
import { targetPolicy } from '../../src/teleop/target-policy.js';
import { fixture, robot } from '../support/arm-fixture.js';
import type { BoardOptions } from '../support/virtual-board.js';

const { spec } = robot;

/** A swing that the shield lets through as it is, from 0.5 and 1.0 rad. */
function swing(steps: readonly number[], positionOff = 0): RecordedMotion['episodes'][number]['steps'] {
  return steps.map(step => {
    const angle = 0.4 * (1 - Math.cos(step / 25));
    return {
      step,
      position: Float64Array.of(0.5 + angle + positionOff, 1 + angle),
      target: Float64Array.of(0.5 + angle, 1 + angle),
    };
  });
}

const hundred = Array.from({ length: 100 }, (_, i) => i);
const motion: RecordedMotion = {
  task: 'reach',
  controlRateHz: 50,
  episodes: [
    { episode: 3, goal: Float64Array.of(0.15, 0.08, 0.06), steps: swing(hundred) },
    { episode: 4, goal: Float64Array.of(0.1, 0.09, 0.06), steps: swing(hundred) },
  ],
};

async function replay(recorded: RecordedMotion, speed = 1, board: Partial<BoardOptions> = {}) {
  const source = new LogReplay(spec, recorded, speed);
  const {
    loop,
    sink,
    board: virtual,
  } = fixture(() => {}, { policy: targetPolicy(spec, 50, source), goals: source }, board);
  const report = await loop.run();
  return { source, report, sink, board: virtual };
}

t.test('each episode is begun from its start, slowly, and its executed targets come again, tick by tick', async t => {
  const { report, sink } = await replay(motion);
  t.equal(report.end.kind, 'done');
  t.same(
    report.targets.map(({ episode, goalM }) => [episode, goalM]),
    [
      [2, [0.15, 0.08, 0.06]],
      [4, [0.1, 0.09, 0.06]],
    ],
  );
  for (const episode of [2, 4]) {
    const ticks = sink.ticks.filter(tick => tick.episode === episode);
    t.equal(ticks.length, 100);
    for (const [i, tick] of ticks.entries())
      t.ok(Math.abs(tick.target[0]! - motion.episodes[0]!.steps[i]!.target[0]!) < 2e-3, `${i}: ${tick.target[0]}`);
    t.ok(Math.abs(ticks.at(-1)!.target[0]! - motion.episodes[0]!.steps[99]!.target[0]!) < 1e-6);
    t.same(
      ticks.map(tick => tick.truncated),
      hundred.map(i => i === 99),
    );
  }
  const way = sink.ticks.filter(tick => [0, 1, 3].includes(tick.episode));
  for (const [i, tick] of way.entries()) {
    const before = way[i - 1];
    if (before?.episode !== tick.episode) continue;
    t.ok(Math.abs(tick.target[0]! - before.target[0]!) <= 0.5 * 0.02 + 1e-6, 'at half a radian a second');
  }
});

t.test('slower: the same way in more ticks, ending where it ended', async t => {
  for (const speed of [0.5, 0.3]) {
    const one = { ...motion, episodes: motion.episodes.slice(0, 1) };
    const { report, sink, source } = await replay(one, speed);
    t.equal(report.end.kind, 'done');
    const ticks = sink.ticks.filter(tick => tick.episode === 2);
    t.equal(ticks.length, Math.ceil(99 / speed) + 1);
    t.ok(Math.abs(ticks.at(-1)!.target[0]! - one.episodes[0]!.steps[99]!.target[0]!) < 1e-6);
    t.ok(Math.abs(source.seconds - 100 / speed / 50) < 1e-9);
  }
});

t.test('ticks that are missing in the log are gone over at the same rate', async t => {
  const gaps = {
    ...motion,
    episodes: [{ ...motion.episodes[0]!, steps: swing(hundred.filter(i => i < 40 || i > 45)) }],
  };
  const { sink } = await replay(gaps);
  t.equal(sink.ticks.filter(tick => tick.episode === 2).length, 100);
});

t.test('how far it was from then is told for each joint, by hand', async t => {
  const off = { ...motion, episodes: [{ ...motion.episodes[0]!, steps: swing(hundred, 0.03) }] };
  // A board that follows at once has at each tick the target of the tick before.
  const { source } = await replay(off, 1, { speed: 1000 });
  const expected = swing(hundred).map(({ target }, i, all) =>
    Math.abs(all[Math.max(0, i - 1)]!.target[0]! - target[0]! - 0.03),
  );
  const rms = Math.sqrt(expected.reduce((sum, value) => sum + value ** 2, 0) / expected.length);
  const [shoulder, elbow] = source.deviations();
  t.equal(shoulder!.joint, 'shoulder');
  t.ok(Math.abs(shoulder!.rmsRad - rms) < 1e-3, `${shoulder!.rmsRad}, ${rms}`);
  t.ok(Math.abs(shoulder!.maxRad - Math.max(...expected)) < 2e-3);
  t.ok(elbow!.rmsRad < 0.02);
});

t.test('nothing played, nothing compared', async t => {
  t.same(
    new LogReplay(spec, motion, 1).deviations().map(({ rmsRad }) => rmsRad),
    [Number.NaN, Number.NaN],
  );
});

t.test('an arm that is held up on the way to the start is stopped, by name', async t => {
  const { report, board } = await replay(motion, 1, { speed: 0.001 });
  t.match(report.end, { kind: 'failed', error: { code: 'E_REPLAY_START', exit: 'safetyStop' } });
  t.match(report.end.reason, /joint 'elbow' does not get to .*: it stands at 1\.4\d? rad, then it stood at 1\.00/);
  t.same(board.halts, ['hold']);
});

t.test('the words say where it is', async t => {
  const source = new LogReplay(spec, motion, 1);
  t.equal(source.words(), 'comes to the start of episode 3 (1 of 2)');
});

t.test('faster than recorded, or not at all, is refused', async t => {
  for (const speed of [0, -1, 1.01, Number.NaN])
    t.throws(() => new LogReplay(spec, motion, speed), { code: 'E_REPLAY_SPEED', exit: 'usage' });
});
