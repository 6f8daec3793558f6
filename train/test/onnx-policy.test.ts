import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../src/algorithms/sac.js';
import { createEngine } from '../src/engine/create-engine.js';
import { exportActor } from '../src/export-actor.js';
import { normalise } from '../src/observation-normaliser.js';
import { openOnnxPolicy } from '../src/onnx-policy.js';

t.test('an exported policy takes raw observations and does what the trainer would', async t => {
  const sizes = { observation: 4, action: 1 };
  const config = { ...sac.defaults, hiddenSizes: [8], batchSize: 4 };
  const engine = await createEngine('split', sac, sizes, config, new Random(5));
  const normaliser = { mean: Float32Array.of(1, -1, 0, 5), std: Float32Array.of(2, 0.5, 1, 3) };
  const policy = await openOnnxPolicy(exportActor(sac, sizes, config, engine.save(), normaliser), sizes);
  const raw = Float32Array.of(0.3, -2, 1, 8);
  const normalised = new Float32Array(4);
  normalise(normaliser, raw, normalised);
  t.ok(Math.abs((await policy.act(raw))[0]! - (await engine.act(normalised))[0]!) < 1e-6);
  await policy.dispose();
  await engine.dispose();
});
