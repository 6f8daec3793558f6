import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { identityNormaliser } from '../../src/observation-normaliser.js';
import { asReplayBatch } from '../../src/replay/replay-buffer.js';
import { callDrawer } from '../../src/sampling/call-drawer.js';
import { smallSac } from '../engine/small-sac.js';
import { emptyCall, filledReplay, noise } from './small-call.js';

const sizes = { observation: 3, action: 2 };

t.test('a call of one update is what replay and engine draw one after the other', async t => {
  const engine = await createEngine('eager-cpu', sac, sizes, smallSac, new Random(1));
  const replay = filledReplay();
  const normaliser = { mean: Float32Array.of(1, 2, 3), std: Float32Array.of(1, 2, 4) };
  const [one, other] = [new Random(2), new Random(2)];
  callDrawer(engine, sac.declare(sizes, smallSac).noise, replay)(one, normaliser);
  const drawn = structuredClone({ batch: engine.batch, noise: engine.noise });
  replay.sample(asReplayBatch(engine.batch), other, normaliser);
  engine.drawNoise(other);
  t.same(drawn, { batch: engine.batch, noise: engine.noise });
  t.same(one.save(), other.save());
  await engine.dispose();
});

t.test('a call of several updates is all their batches, then all their noise', async t => {
  const inputs = emptyCall(3);
  const replay = filledReplay();
  const random = new Random(3);
  callDrawer(inputs, noise, replay)(new Random(3), identityNormaliser(3));
  for (let update = 0; update < 3; update++) {
    const expected = emptyCall(1);
    replay.sample(asReplayBatch(expected.batch), random, identityNormaliser(3));
    for (const [name, values] of Object.entries(expected.batch))
      t.same(inputs.batch[name]!.subarray(update * values.length, (update + 1) * values.length), values, name);
  }
  const next = new Float32Array(12);
  random.fillNormal(next);
  t.same(inputs.noise.next!.subarray(0, 12), next);
  const marked = inputs.noise.subset!;
  for (let update = 0; update < 3; update++) {
    t.equal(
      marked.subarray(update * 4, update * 4 + 4).reduce((sum, mark) => sum + mark),
      2,
    );
  }
});
