import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { identityNormaliser } from '../../src/observation-normaliser.js';
import { ReplayMixer } from '../../src/replay/mixer.js';
import { ReplayBuffer } from '../../src/replay/replay-buffer.js';

function replayOfReward(reward: number): ReplayBuffer {
  const replay = ReplayBuffer.create({ capacity: 3, slack: 0, observationSize: 1, actionSize: 1 });
  for (let i = 0; i < 3; i++)
    replay.add(Float32Array.of(0), Float32Array.of(0), reward, Float32Array.of(0), false, false);
  replay.commit();
  return replay;
}

function rewards(share: number, rows: number): number[] {
  const batch = {
    observation: new Float32Array(rows),
    action: new Float32Array(rows),
    reward: new Float32Array(rows),
    nextObservation: new Float32Array(rows),
    terminated: new Float32Array(rows),
  };
  new ReplayMixer(replayOfReward(1), replayOfReward(2), share).sample(batch, new Random(0), identityNormaliser(1));
  return [...batch.reward];
}

t.test('every batch holds exactly the share from the logs', t => {
  t.strictSame(rewards(0.5, 8), [1, 1, 1, 1, 2, 2, 2, 2]);
  t.strictSame(rewards(0.5, 3), [1, 1, 2], 'half a row goes to the logs');
  t.strictSame(rewards(1, 2), [1, 1]);
  t.strictSame(rewards(0, 2), [2, 2]);
  t.end();
});

t.test('an all-logged mixture needs no simulation', t => {
  const empty = ReplayBuffer.create({ capacity: 3, slack: 0, observationSize: 1, actionSize: 1 });
  const batch = {
    observation: new Float32Array(2),
    action: new Float32Array(2),
    reward: new Float32Array(2),
    nextObservation: new Float32Array(2),
    terminated: new Float32Array(2),
  };
  new ReplayMixer(replayOfReward(1), empty, 1).sample(batch, new Random(0), identityNormaliser(1));
  t.strictSame([...batch.reward], [1, 1]);
  t.end();
});

t.test('a share that is none is refused', t => {
  for (const share of [-0.1, 1.1, Number.NaN])
    t.throws(() => new ReplayMixer(replayOfReward(1), replayOfReward(2), share), { code: 'E_LOGGED_SHARE' });
  t.end();
});
