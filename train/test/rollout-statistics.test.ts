import t from 'tap';
import { ReplayBuffer } from '../src/replay/replay-buffer.js';
import { RolloutStatistics } from '../src/rollout-statistics.js';

function replayWith(rows: readonly { reward: number; end?: 'terminated' | 'truncated' }[]): ReplayBuffer {
  const replay = ReplayBuffer.create({ capacity: 1000, slack: 0, observationSize: 1, actionSize: 1 });
  for (const { reward, end } of rows)
    replay.add(
      Float32Array.of(0),
      Float32Array.of(0),
      reward,
      Float32Array.of(0),
      end === 'terminated',
      end === 'truncated',
    );
  replay.commit();
  return replay;
}

t.test('returns and lengths are those of whole episodes, however an episode ends', t => {
  const replay = replayWith([
    { reward: 1 },
    { reward: 2, end: 'truncated' },
    { reward: 5, end: 'terminated' },
    { reward: 100 },
  ]);
  const rollout = new RolloutStatistics();
  t.ok(Number.isNaN(rollout.meanReturn));
  rollout.take(replay, 4);
  t.equal(rollout.meanReturn, 4);
  t.match(rollout.scalars, { 'rollout/ep_rew_mean': 4, 'rollout/ep_len_mean': 1.5, 'time/episodes': 2 });
  t.end();
});

t.test('an episode may span blocks, and a save and load', t => {
  const rollout = new RolloutStatistics();
  rollout.take(replayWith([{ reward: 1 }]), 1);
  const other = new RolloutStatistics();
  other.load(rollout.save());
  other.take(replayWith([{ reward: 2, end: 'truncated' }]), 1);
  t.equal(other.meanReturn, 3);
  t.equal(other.scalars['rollout/ep_len_mean'], 2);
  t.end();
});

t.test('only the last hundred episodes count', t => {
  const rollout = new RolloutStatistics();
  rollout.take(
    replayWith(Array.from({ length: 150 }, (_, i) => ({ reward: i < 50 ? -1000 : 1, end: 'truncated' as const }))),
    150,
  );
  t.equal(rollout.meanReturn, 1);
  t.equal(rollout.scalars['time/episodes'], 150);
  t.end();
});
