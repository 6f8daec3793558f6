import { Worker } from 'node:worker_threads';
import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { ActorSession } from '../../src/engine/actor-session.js';
import { compileActor } from '../../src/engine/compile-actor.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { openPublic } from '../../src/engine/graph-session.js';
import { runUpdates, sizes, smallSac } from './small-sac.js';

const engine = await createEngine('split', sac, sizes, smallSac, new Random(1));
await runUpdates(engine, 5, new Random(2));
const shared = new Float32Array(new SharedArrayBuffer(engine.actorLength * 4));
engine.readActor(shared);
const observation = Float32Array.of(0.1, -0.5, 2, 0, 1);
const noise = Float32Array.of(0.7, -1.2);
t.after(() => engine.dispose());

t.test('with parameters from shared memory it acts as the engine does, with and without noise', async t => {
  const out = new Float32Array(2);
  const stochastic = await ActorSession.open(compileActor(sac, sizes, smallSac));
  stochastic.load(shared);
  stochastic.act(observation, noise, out);
  t.same([...out], [...(await engine.act(observation, noise))]);
  const deterministic = await ActorSession.open(compileActor(sac, sizes, smallSac, 'deterministic'));
  deterministic.load(shared);
  deterministic.act(observation, new Float32Array(0), out);
  t.same([...out], [...(await engine.act(observation))]);
  await stochastic.dispose();
  await deterministic.dispose();
});

t.test('another engine fills the same layout', async t => {
  const eager = await createEngine('eager-cpu', sac, sizes, smallSac, new Random(9));
  eager.load(engine.save());
  const flat = new Float32Array(eager.actorLength);
  eager.readActor(flat);
  t.same([...flat], [...shared]);
  await eager.dispose();
});

t.test('new parameters count from the next action on', async t => {
  const session = await ActorSession.open(compileActor(sac, sizes, smallSac, 'deterministic'));
  const out = Float32Array.of(9, 9);
  session.act(observation, new Float32Array(0), out);
  t.same([...out], [0, 0], 'before any are loaded they are 0');
  session.load(shared);
  session.act(observation, new Float32Array(0), out);
  t.notSame([...out], [0, 0]);
  await session.dispose();
});

t.test('without a synchronous call an action is a promise of the same', async t => {
  const [native, fallback] = [new Float32Array(2), new Float32Array(2)];
  const compiled = compileActor(sac, sizes, smallSac);
  for (const [session, out] of [
    [await ActorSession.open(compiled), native],
    [await ActorSession.open(compiled, openPublic), fallback],
  ] as const) {
    session.load(shared);
    await session.act(observation, noise, out);
    await session.dispose();
  }
  t.same([...fallback], [...native]);
});

t.test('in a worker thread it acts without TensorFlow.js', async t => {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(async ({ ActorSession }) => {
      const session = await ActorSession.open(workerData.actor);
      session.load(workerData.parameters);
      const out = new Float32Array(2);
      session.act(workerData.observation, workerData.noise, out);
      await session.dispose();
      const loaded = Object.keys(require('node:module')._cache).filter(path => path.includes('@tensorflow'));
      parentPort.postMessage({ action: [...out], loaded });
    });`;
  const module = new URL('../../src/engine/actor-session.js', import.meta.url).href;
  const actor = compileActor(sac, sizes, smallSac);
  const worker = new Worker(source, {
    eval: true,
    workerData: { module, actor, parameters: shared, observation, noise },
  });
  const answer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  t.same(answer, { action: [...(await engine.act(observation, noise))], loaded: [] });
  await worker.terminate();
});
