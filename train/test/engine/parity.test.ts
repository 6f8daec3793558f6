import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { type SacConfig, sac } from '../../src/algorithms/sac.js';
import { createEngine, type EngineOptions } from '../../src/engine/create-engine.js';
import type { EngineName, EngineState } from '../../src/engine/engine.js';
import { sameParameters } from './compare-states.js';
import { absence } from './engines-here.js';
import { runUpdates, sizes } from './small-sac.js';

const rlpd: SacConfig = {
  ...sac.defaults,
  hiddenSizes: [16, 16],
  batchSize: 24,
  critics: 4,
  targetSubset: 2,
  criticLayerNorm: true,
  actorObjective: 'mean',
  actorEvery: 2,
};
const configs: Record<string, SacConfig> = {
  SAC: { ...sac.defaults, hiddenSizes: [64, 64], batchSize: 64 },
  'RLPD (layer norm, subset of critics, delayed actor)': rlpd,
};

/** Updates on batches and noise that depend on nothing but the seed. */
async function afterUpdates(
  name: EngineName,
  config: SacConfig,
  updates: number,
  options: EngineOptions = {},
): Promise<EngineState> {
  const engine = await createEngine(name, sac, sizes, config, new Random(7), options);
  await runUpdates(engine, updates, new Random(11));
  const state = engine.save();
  await engine.dispose();
  return state;
}

const start = async (config: SacConfig) => (await createEngine('eager-cpu', sac, sizes, config, new Random(7))).save();

for (const [title, config] of Object.entries(configs)) {
  t.test(`the same 20 updates of ${title} give the same parameters on every engine`, async t => {
    const expected = { start: await start(config), reference: await afterUpdates('eager-cpu', config, 20) };
    for (const name of ['split', 'eager-wasm', 'fused-cpu'] as const)
      sameParameters(t, name, await afterUpdates(name, config, 20), expected);
    for (const threads of [2, 4])
      sameParameters(t, `split on ${threads} threads`, await afterUpdates('split', config, 20, { threads }), expected);
  });

  t.test(`several updates of ${title} at once are the same as one after the other`, async t => {
    for (const [updatesPerCall, updates] of [
      [4, 20],
      [8, 24],
      [32, 32],
    ] as const) {
      const expected = { start: await start(config), reference: await afterUpdates('split', config, updates) };
      const state = await afterUpdates('fused-cpu', config, updates, { updatesPerCall });
      sameParameters(t, `${updatesPerCall} at once`, state, expected);
    }
  });
}

// Runs with TensorFlow's native library, where `kit engine install tfjs-node-gpu` has put one.
t.test('20 updates on @tensorflow/tfjs-node-gpu are the same, or one error says what it lacks', async t => {
  const missing = await absence('eager-tfjs-node-gpu');
  if (missing !== undefined) {
    t.match(missing.hint, /kit engine install tfjs-node-gpu/);
    return t.comment(missing.message);
  }
  const config = configs.SAC!;
  const expected = { start: await start(config), reference: await afterUpdates('split', config, 20) };
  sameParameters(t, 'tfjs-node-gpu', await afterUpdates('eager-tfjs-node-gpu', config, 20), expected);
});

/**
 * On a graphics driver, or on a software one: what a machine of WebGPU's own does differently (which operations it has, where tensors lie)
 * is the same for both. One engine stays open: its compiled shaders serve the others.
 */
t.test('WebGPU gives the same parameters, or one error says what it lacks', { timeout: 280_000 }, async t => {
  const missing = await absence('fused-webgpu');
  if (missing !== undefined) {
    t.match(missing.hint, /graphics driver/);
    return t.comment(missing.message);
  }
  const small: SacConfig = { ...sac.defaults, hiddenSizes: [16, 16], batchSize: 16 };
  const holdsShaders = await createEngine('fused-webgpu', sac, sizes, small, new Random(7));
  await runUpdates(holdsShaders, 1, new Random(1));
  for (const [config, updatesPerCall, updates] of [
    [small, 1, 20],
    [small, 8, 24],
    [small, 32, 32],
    [rlpd, 4, 20],
  ] as const) {
    const expected = { start: await start(config), reference: await afterUpdates('split', config, updates) };
    const state = await afterUpdates('fused-webgpu', config, updates, { updatesPerCall });
    sameParameters(t, `webgpu, ${updatesPerCall} at once`, state, expected);
  }
  // Back from the device, into an engine on the CPU, and on from there.
  const split = await createEngine('split', sac, sizes, small, new Random(99));
  split.load(holdsShaders.save());
  t.same(split.save(), holdsShaders.save());
  const observation = new Float32Array(sizes.observation).fill(0.5);
  t.same(await holdsShaders.act(observation), await split.act(observation));
  await runUpdates(split, 2, new Random(5));
  holdsShaders.load(split.save());
  t.same(holdsShaders.save(), split.save());
  await runUpdates(holdsShaders, 1, new Random(5));
  await split.dispose();
  await holdsShaders.dispose();
});
