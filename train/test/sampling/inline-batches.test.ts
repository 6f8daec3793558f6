import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { identityNormaliser } from '../../src/observation-normaliser.js';
import { InlineBatches } from '../../src/sampling/inline-batches.js';
import { emptyCall, filledReplay, noise } from './small-call.js';

t.test('a generator that was saved between two calls draws the same ones again', async t => {
  const engine = emptyCall(2);
  const replay = filledReplay();
  const batches = new InlineBatches(engine, noise, replay, new Random(7));
  batches.prepare(2, identityNormaliser(3));
  batches.take();
  const first = structuredClone(engine);
  const state = batches.save();
  batches.take();
  const second = structuredClone(engine);
  t.notSame(second, first);
  const resumed = new InlineBatches(engine, noise, replay, Random.restore(state));
  resumed.prepare(1, identityNormaliser(3));
  resumed.take();
  t.same(structuredClone(engine), second);
  t.same(resumed.save(), batches.save());
});

t.test('observations are normalised as the block says', async t => {
  const [raw, normalised] = [emptyCall(1), emptyCall(1)];
  for (const [engine, normaliser] of [
    [raw, identityNormaliser(3)],
    [normalised, { mean: new Float32Array(3).fill(1), std: new Float32Array(3).fill(2) }],
  ] as const) {
    const batches = new InlineBatches(engine, noise, filledReplay(), new Random(7));
    batches.prepare(1, normaliser);
    batches.take();
  }
  t.same(
    normalised.batch.observation,
    raw.batch.observation!.map(value => (value - 1) / 2),
  );
});
