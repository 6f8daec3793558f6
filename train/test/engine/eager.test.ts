import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { EagerEngine } from '../../src/engine/eager.js';
import { initialState } from '../../src/engine/initial-state.js';
import { runUpdates, sizes, smallSac } from './small-sac.js';

const declaration = sac.declare(sizes, smallSac);
const state = initialState(declaration, new Random(1));

t.test('updates leave no tensor behind, and dispose frees the rest', async t => {
  const before = tf.memory().numTensors;
  const engine = await EagerEngine.create('cpu', declaration, state);
  await runUpdates(engine, 1, new Random(2));
  const held = tf.memory().numTensors;
  await runUpdates(engine, 3, new Random(3));
  await engine.act(new Float32Array(sizes.observation));
  engine.save();
  t.equal(tf.memory().numTensors, held);
  engine.dispose();
  t.equal(tf.memory().numTensors, before);
});

t.test('two engines on two backends take turns without disturbing each other', async t => {
  const alone = await EagerEngine.create('cpu', declaration, state);
  await runUpdates(alone, 2, new Random(2), new Random(3));
  const cpu = await EagerEngine.create('cpu', declaration, state);
  const wasm = await EagerEngine.create('wasm', declaration, state);
  const [a, b] = [new Random(2), new Random(2)];
  const [noiseA, noiseB] = [new Random(3), new Random(3)];
  for (let i = 0; i < 2; i++) {
    await runUpdates(cpu, 1, a, noiseA);
    await runUpdates(wasm, 1, b, noiseB);
  }
  t.same(cpu.save(), alone.save());
  for (const engine of [alone, cpu, wasm]) engine.dispose();
});
