import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { type Engine, type EngineName, type EngineState, engineNames } from '../../src/engine/engine.js';
import { absence } from './engines-here.js';
import { fillBatch, runUpdates, sizes, smallSac } from './small-sac.js';

const always = ['split', 'fused-cpu', 'eager-cpu', 'eager-wasm'] as const;
/** With TensorFlow's native library, where `kit engine install tfjs-node-gpu` has put one. */
const nodeGpu = (await absence('eager-tfjs-node-gpu')) === undefined ? (['eager-tfjs-node-gpu'] as const) : [];
const create = (name: EngineName, seed = 1) => createEngine(name, sac, sizes, smallSac, new Random(seed));
/** Structured clones compare by value. */
const plain = (state: EngineState) =>
  JSON.parse(JSON.stringify(state, (_key, value) => (value instanceof Float32Array ? [...value] : value)));

t.test('an engine without threads is asked for none', async t => {
  await t.rejects(createEngine('eager-cpu', sac, sizes, smallSac, new Random(1), { threads: 2 }), {
    code: 'E_THREADS',
    exit: 'usage',
  });
});

t.test('every engine starts from the same parameters, drawn from the seed', async t => {
  const states = [];
  for (const name of always) {
    const engine = await create(name);
    states.push(plain(engine.save()));
    await engine.dispose();
  }
  t.same(states[1], states[0]);
  t.same(states[2], states[0]);
  t.same(states[3], states[0]);
  const other = await create('split', 2);
  t.notSame(plain(other.save()).parameters, states[0].parameters);
  await other.dispose();
});

t.test('tfjs-node-gpu without its native library is an error that says what to type', async t => {
  try {
    const engine = await createEngine('eager-tfjs-node-gpu', sac, sizes, smallSac, new Random(1));
    t.equal(engine.name, 'eager-tfjs-node-gpu', 'it is installed here');
    await engine.dispose();
  } catch (error) {
    t.ok(error instanceof KitError);
    t.match(error, { code: 'E_ENGINE_MISSING', hint: /kit engine install tfjs-node-gpu/ });
  }
  t.ok(engineNames.includes('eager-tfjs-node-gpu'));
});

for (const name of [...always, ...nodeGpu]) {
  t.test(`${name}: a saved and loaded state goes on bit for bit`, async t => {
    const first = await create(name);
    await runUpdates(first, 3, new Random(3));
    const state = first.save();
    await runUpdates(first, 3, new Random(4));
    const second = await create(name, 99);
    second.load(structuredClone(state));
    t.equal(second.updates, 3);
    await runUpdates(second, 3, new Random(4));
    t.same(plain(second.save()), plain(first.save()));
    t.equal(second.updates, 6);
    await first.dispose();
    await second.dispose();
  });

  t.test(`${name}: a saved state is a copy, and so is what was loaded`, async t => {
    const engine = await create(name);
    const state = engine.save();
    const before = plain(state);
    await runUpdates(engine, 1, new Random(3));
    t.same(plain(state), before);
    engine.load(state);
    for (const values of Object.values(state.parameters)) values.fill(0);
    t.same(plain(engine.save()), before);
    await engine.dispose();
  });

  t.test(`${name}: metrics have Stable-Baselines3's names and are numbers`, async t => {
    const engine = await create(name);
    fillBatch(engine, new Random(3));
    engine.drawNoise(new Random(4));
    const metrics = await engine.update();
    const wanted = ['train/actor_loss', 'train/critic_loss', 'train/ent_coef', 'train/ent_coef_loss', 'train/entropy'];
    t.same(Object.keys(metrics).sort(), wanted);
    t.ok(Object.values(metrics).every(Number.isFinite));
    t.ok(Math.abs(metrics['train/ent_coef']! - 1) < 1e-6, 'the temperature before its own step');
    await engine.dispose();
  });

  t.test(`${name}: a reward that is not a number stops the run and names group and update`, async t => {
    const engine = await create(name);
    await runUpdates(engine, 2, new Random(3));
    fillBatch(engine, new Random(3));
    engine.batch.reward![7] = Number.NaN;
    await t.rejects(async () => engine.update(), { code: 'E_DIVERGED', message: /loss of critics is NaN in update 2/ });
    await engine.dispose();
  });

  t.test(`${name}: acts within [−1, 1], with the noise it is given or none`, async t => {
    const engine = await create(name);
    const observations = new Float32Array(3 * sizes.observation);
    new Random(5).fillNormal(observations);
    const still = await engine.act(observations);
    t.equal(still.length, 3 * sizes.action);
    const same = await engine.act(observations, new Float32Array(3 * sizes.action));
    still.forEach((value, i) => {
      t.ok(Math.abs(value - same[i]!) < 1e-6 && Math.abs(value) <= 1);
    });
    const noisy = await engine.act(observations, new Float32Array(3 * sizes.action).fill(50));
    t.ok(noisy.every((value, i) => value > still[i]! && value <= 1));
    const [first] = await engine.act(observations.subarray(0, sizes.observation));
    t.ok(Math.abs(first! - still[0]!) < 1e-6, 'rows do not depend on each other');
    await engine.dispose();
  });

  t.test(`${name}: a state of another network is refused before anything changes`, async t => {
    const engine = await create(name);
    const before = plain(engine.save());
    const other = await createEngine(name, sac, sizes, { ...smallSac, hiddenSizes: [12, 12] }, new Random(1));
    t.throws(() => engine.load(other.save()), {
      code: 'E_ENGINE_STATE',
      message: /'actor\/hidden0\/kernel' has 60 values where \[5, 16\]/,
    });
    const { 'critics/1/out/bias': _gone, ...rest } = engine.save().parameters;
    t.throws(() => engine.load({ ...engine.save(), parameters: rest }), { message: /lack 'critics\/1\/out\/bias'/ });
    t.throws(() => engine.load({ ...engine.save(), algorithm: 'td3' }), { message: /'td3', not of 'sac'/ });
    t.same(plain(engine.save()), before);
    await engine.dispose();
    await other.dispose();
  });
}

t.test('an engine that makes one update to a call says so where it is asked for several', async t => {
  await t.rejects(createEngine('split', sac, sizes, smallSac, new Random(1), { updatesPerCall: 8 }), {
    code: 'E_UPDATES_PER_CALL',
    message: /split makes one update to a call, not 8/,
  });
});

t.test('a provider that this build or machine lacks is one error that says what to do', async t => {
  const absent = process.platform === 'win32' ? 'coreml' : 'dml';
  await t.rejects(createEngine(`fused-${absent}`, sac, sizes, smallSac, new Random(1)), {
    code: 'E_ENGINE_MISSING',
    message: new RegExp(`fused-${absent} can't start here`),
    hint: /--engine split/,
  });
});

t.test('the targets are the old targets plus τ of the way to the new critics', async t => {
  const engine: Engine = await create('split');
  const before = engine.save().parameters['targetCritics/0/out/kernel']!;
  await runUpdates(engine, 1, new Random(3));
  const { parameters } = engine.save();
  const critics = parameters['critics/0/out/kernel']!;
  parameters['targetCritics/0/out/kernel']!.forEach((value, i) => {
    t.ok(Math.abs(value - (before[i]! + smallSac.tau * (critics[i]! - before[i]!))) < 1e-7);
  });
  t.notSame([...critics], [...before]);
  await engine.dispose();
});
