import { Random } from '@sim2servo/models/random';
import fc from 'fast-check';
import t from 'tap';
import { identityNormaliser } from '../../src/observation-normaliser.js';
import { asReplayBatch, type ReplayBatch, ReplayBuffer } from '../../src/replay/replay-buffer.js';

const observationSize = 2;
const actionSize = 1;

function batchOf(rows: number): ReplayBatch {
  return {
    observation: new Float32Array(rows * observationSize),
    action: new Float32Array(rows * actionSize),
    reward: new Float32Array(rows),
    nextObservation: new Float32Array(rows * observationSize),
    terminated: new Float32Array(rows),
  };
}

/** The n-th transition: every number in it says which one it is. */
function addNumber(replay: ReplayBuffer, n: number): void {
  replay.add(
    Float32Array.of(n, -n),
    Float32Array.of(n / 1000),
    n,
    Float32Array.of(n + 1, -n - 1),
    n % 7 === 0,
    n % 5 === 0,
  );
}

function newReplay(capacity: number, slack: number): ReplayBuffer {
  return ReplayBuffer.create({ capacity, slack, observationSize, actionSize });
}

t.test(
  'a replay holds what a plain array that forgets its oldest entries holds, whatever is added and committed',
  t => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 30 }),
        fc.integer(),
        (capacity, slack, blocks, seed) => {
          const replay = newReplay(capacity, slack);
          const model: number[] = [];
          let n = 1;
          for (const block of blocks) {
            for (let i = 0; i < Math.min(block, slack); i++) {
              addNumber(replay, n);
              model.push(n++);
            }
            replay.commit();
            const kept = model.slice(-capacity);
            if (replay.size !== kept.length) return false;
            for (const [i, number] of kept.entries()) {
              const row = replay.rowOf(kept.length - 1 - i);
              if (replay.reward[row] !== number) return false;
              if (replay.observation[row * 2 + 1] !== -number || replay.nextObservation[row * 2] !== number + 1)
                return false;
              if (
                replay.terminated[row] !== Number(number % 7 === 0) ||
                replay.truncated[row] !== Number(number % 5 === 0)
              )
                return false;
            }
            if (kept.length === 0) continue;
            const batch = batchOf(8);
            replay.sample(batch, new Random(seed), identityNormaliser(observationSize));
            for (let row = 0; row < 8; row++) {
              const number = batch.reward[row]!;
              if (!kept.includes(number)) return false;
              if (batch.observation[row * 2] !== number || batch.nextObservation[row * 2 + 1] !== -number - 1)
                return false;
              if (
                batch.action[row] !== Math.fround(number / 1000) ||
                batch.terminated[row] !== Number(number % 7 === 0)
              )
                return false;
            }
          }
          return true;
        },
      ),
    );
    t.end();
  },
);

t.test('rows written ahead of a commit are never sampled, nor do they change what is', t => {
  const replay = newReplay(10, 4);
  for (let n = 1; n <= 30; n++) {
    addNumber(replay, n);
    replay.commit();
  }
  const before = batchOf(64);
  replay.sample(before, new Random(3), identityNormaliser(observationSize));
  for (let n = 31; n <= 34; n++) addNumber(replay, n);
  const during = batchOf(64);
  replay.sample(during, new Random(3), identityNormaliser(observationSize));
  t.strictSame(during, before);
  t.equal(Math.max(...during.reward), 30);
  t.throws(() => addNumber(replay, 35), { code: 'E_REPLAY_AHEAD' });
  t.end();
});

t.test('another thread that attaches sees the same ring', t => {
  const replay = newReplay(5, 1);
  const seen = ReplayBuffer.attach(replay.shared);
  addNumber(seen, 4);
  t.equal(replay.size, 0, 'not before the commit');
  replay.commit();
  t.equal(seen.size, 1);
  t.equal(replay.reward[replay.rowOf(0)], 4);
  t.end();
});

t.test('the same seed draws the same rows, every row with about the same frequency', t => {
  const replay = newReplay(10, 0);
  for (let n = 1; n <= 10; n++) addNumber(replay, n);
  replay.commit();
  const draws = batchOf(20_000);
  replay.sample(draws, new Random(11), identityNormaliser(observationSize));
  const again = batchOf(20_000);
  replay.sample(again, new Random(11), identityNormaliser(observationSize));
  t.strictSame(again, draws);
  const counts = new Map<number, number>();
  for (const reward of draws.reward) counts.set(reward, (counts.get(reward) ?? 0) + 1);
  t.equal(counts.size, 10);
  // A count is binomial(20000, 0.1): standard deviation 42, so 6 of them are 255.
  for (const [reward, count] of counts) t.ok(Math.abs(count - 2000) < 255, `row ${reward}: ${count}`);
  t.end();
});

t.test('observations are normalised on their way into the batch, and stay raw in the ring', t => {
  const replay = newReplay(1, 0);
  replay.add(Float32Array.of(3, 10), Float32Array.of(0.5), 1, Float32Array.of(5, 0), false, true);
  replay.commit();
  const batch = batchOf(1);
  replay.sample(batch, new Random(0), { mean: Float32Array.of(1, 10), std: Float32Array.of(2, 5) });
  t.strictSame([...batch.observation], [1, 0]);
  t.strictSame([...batch.nextObservation], [2, -2]);
  t.strictSame([...replay.observation], [3, 10]);
  t.equal(batch.terminated[0], 0, 'a truncated step still bootstraps');
  t.end();
});

t.test('a saved ring, loaded into another, samples the same rows', t => {
  for (const added of [3, 12, 25]) {
    const replay = newReplay(10, 3);
    for (let n = 1; n <= added; n++) {
      addNumber(replay, n);
      replay.commit();
    }
    const other = newReplay(10, 3);
    other.load(replay.save());
    addNumber(replay, 99);
    addNumber(other, 99);
    replay.commit();
    other.commit();
    const [mine, theirs] = [batchOf(50), batchOf(50)];
    replay.sample(mine, new Random(5), identityNormaliser(observationSize));
    other.sample(theirs, new Random(5), identityNormaliser(observationSize));
    t.strictSame(theirs, mine, `${added} added`);
  }
  t.end();
});

t.test('what does not fit is refused', t => {
  t.throws(() => newReplay(0, 0), { code: 'E_REPLAY_CAPACITY' });
  const empty = newReplay(4, 1);
  t.throws(() => empty.sample(batchOf(1), new Random(0), identityNormaliser(2)), { code: 'E_REPLAY_EMPTY' });
  addNumber(empty, 1);
  t.throws(() => empty.save(), { code: 'E_REPLAY_AHEAD' });
  empty.commit();
  const wider = ReplayBuffer.create({ capacity: 4, slack: 1, observationSize: 3, actionSize });
  t.throws(() => wider.load(empty.save()), { code: 'E_REPLAY_SHAPE' });
  t.throws(() => asReplayBatch({ observation: new Float32Array(1) }), { code: 'E_BATCH', message: /observation/ });
  t.end();
});
