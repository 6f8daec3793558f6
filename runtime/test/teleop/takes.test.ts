import t from 'tap';
import { Takes } from '../../src/teleop/takes.js';
import { fixture } from '../support/arm-fixture.js';

/** Records with a hand that does something at given ticks of the run, lead-in included. */
async function record(
  at: Record<number, (takes: Takes) => void>,
  more: { ready?: () => boolean; episodes?: number } = {},
) {
  const takes = new Takes({ episodes: 2, ticksEach: 30, resetTicks: 10, ready: () => true, ...more });
  let tick = 0;
  const { loop, sink, board } = fixture(
    () => {
      at[tick++]?.(takes);
    },
    { goals: takes, maxTicks: 1000 },
  );
  const report = await loop.run();
  const lengths = new Map<number, number>();
  for (const { episode } of sink.ticks) lengths.set(episode, (lengths.get(episode) ?? 0) + 1);
  const truncated = sink.ticks.filter(record => record.truncated).map(record => record.episode);
  return { takes, report, lengths: [...lengths], truncated, board };
}

t.test('reset, episode, reset, episode, done; only the episodes are results and end truncated', async t => {
  const { takes, report, lengths, truncated, board } = await record({});
  t.same(lengths, [
    [0, 50],
    [1, 11],
    [2, 30],
    [3, 11],
    [4, 30],
  ]);
  t.same(truncated, [2, 4]);
  t.same(
    report.targets.map(({ episode }) => episode),
    [2, 4],
  );
  t.equal(report.end.kind, 'done');
  t.equal(takes.kept, 2);
  t.equal(takes.phase, 'over');
  t.same(board.halts, ['hold']);
});

t.test('Enter ends an episode early and begins the next at once', async t => {
  const { lengths, truncated, takes } = await record({
    52: all => all.end(),
    60: all => all.end(),
  });
  t.same(lengths.slice(0, 3), [
    [0, 50],
    [1, 4],
    [2, 8],
  ]);
  t.same(truncated, [2, 4]);
  t.equal(takes.kept, 2);
});

t.test('an episode that is thrown away is no result, does not end truncated, and is done again', async t => {
  const { takes, report, lengths, truncated } = await record({ 70: all => all.discard() });
  t.equal(takes.thrownAway, 1);
  t.equal(takes.kept, 2);
  t.equal(lengths.length, 7);
  t.same(truncated, [4, 6]);
  t.same(
    takes.keptOf(report.targets).map(({ episode }) => episode),
    [4, 6],
  );
});

t.test('thrown away after it was over: the one before is not kept', async t => {
  const { takes, report } = await record({ 95: all => all.discard() });
  t.same(
    report.targets.map(({ episode }) => episode),
    [2, 4, 6],
  );
  t.same(
    takes.keptOf(report.targets).map(({ episode }) => episode),
    [4, 6],
  );
  t.same([takes.kept, takes.thrownAway], [2, 1]);
});

t.test('before the first episode there is nothing to throw away', async t => {
  const { takes } = await record({ 52: all => all.discard() });
  t.same([takes.kept, takes.thrownAway], [2, 0]);
});

t.test('no episode begins before the arm follows, however long ago its time was over or Enter was pressed', async t => {
  let following = false;
  const { lengths } = await record(
    {
      51: all => all.end(),
      150: () => {
        following = true;
      },
    },
    { ready: () => following, episodes: 1 },
  );
  t.same(lengths.slice(0, 3), [
    [0, 50],
    [1, 102],
    [2, 30],
  ]);
});

t.test('what is left of a phase is told', async t => {
  const takes = new Takes({ episodes: 1, ticksEach: 30, resetTicks: 10, ready: () => true });
  t.equal(takes.next(), Number.POSITIVE_INFINITY);
  t.equal(takes.ticksLeft, 10);
  takes.ends();
  t.equal(takes.ticksLeft, 9);
  t.equal(takes.next(), 30);
  t.equal(takes.phase, 'episode');
  t.equal(takes.ticksLeft, 30);
  t.equal(takes.next(), 0);
});
