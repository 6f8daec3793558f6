import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { type SacConfig, sac } from '../../src/algorithms/sac.js';
import { createEngine } from '../../src/engine/create-engine.js';
import type { EngineName, EngineState } from '../../src/engine/engine.js';
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

/** Twenty updates on batches and noise that depend on nothing but the seed. */
async function afterTwentyUpdates(name: EngineName, config: SacConfig, threads = 1): Promise<EngineState> {
  const engine = await createEngine(name, sac, sizes, config, new Random(7), { threads });
  await runUpdates(engine, 20, new Random(11));
  const state = engine.save();
  await engine.dispose();
  return state;
}

/** |a − b| / |a| over all parameters of a group. */
function relativeDistance(a: EngineState, b: EngineState, group: string): number {
  let [difference, norm] = [0, 0];
  for (const [name, values] of Object.entries(a.parameters)) {
    if (!name.startsWith(`${group}/`)) continue;
    values.forEach((value, i) => {
      difference += (value - b.parameters[name]![i]!) ** 2;
      norm += value ** 2;
    });
  }
  return Math.sqrt(difference / norm);
}

for (const [title, config] of Object.entries(configs)) {
  t.test(`the same 20 updates of ${title} give the same parameters on every engine`, async t => {
    const reference = await afterTwentyUpdates('eager-cpu', config);
    const start = (await createEngine('eager-cpu', sac, sizes, config, new Random(7))).save();
    const others = [
      ['split', 1],
      ['split', 2],
      ['split', 4],
      ['eager-wasm', 1],
    ] as const;
    for (const [engine, threads] of others) {
      const name = `${engine}, ${threads} threads`;
      const state = await afterTwentyUpdates(engine, config, threads);
      t.equal(state.updates, 20);
      t.same(state.optimiserSteps, reference.optimiserSteps);
      for (const group of ['actor', 'critics', 'targetCritics', 'logAlpha']) {
        const distance = relativeDistance(reference, state, group);
        t.ok(distance < 1e-4, `${name}: ${group} differs by ${distance} of its norm`);
        t.ok(group === 'logAlpha' || relativeDistance(start, state, group) > 1e-4, `${name}: ${group} moved`);
      }
    }
  });
}
