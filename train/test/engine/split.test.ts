import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { openPublic } from '../../src/engine/graph-session.js';
import { initialState } from '../../src/engine/initial-state.js';
import { SplitEngine } from '../../src/engine/split.js';
import { fillBatch, runUpdates, sizes, smallSac } from './small-sac.js';

const declaration = sac.declare(sizes, smallSac);
const state = initialState(declaration, new Random(1));

t.test('an update is synchronous', async t => {
  const engine = await SplitEngine.create(declaration, state);
  fillBatch(engine, new Random(2));
  t.notOk(engine.update() instanceof Promise);
  t.equal(engine.updates, 1);
  await engine.dispose();
});

t.test(
  "through ONNX Runtime's public interface, where no synchronous call is to be had, all is the same bit for bit",
  async t => {
    const native = await SplitEngine.create(declaration, state);
    const fallback = await SplitEngine.create(declaration, state, { open: openPublic });
    await runUpdates(native, 5, new Random(2));
    await runUpdates(fallback, 5, new Random(2));
    t.same(fallback.save(), native.save());
    const observations = new Float32Array(2 * sizes.observation).fill(0.3);
    t.same([...(await fallback.act(observations))], [...(await native.act(observations))]);
    await native.dispose();
    await fallback.dispose();
  },
);

t.test('the same seed gives the same parameters bit for bit', async t => {
  const states = [];
  for (let i = 0; i < 2; i++) {
    const engine = await SplitEngine.create(declaration, state);
    await runUpdates(engine, 10, new Random(2));
    states.push(engine.save());
    await engine.dispose();
  }
  t.same(states[1], states[0]);
});

t.test('a gradient that is not finite is refused even where the loss is finite', async t => {
  const engine = await SplitEngine.create(declaration, state);
  fillBatch(engine, new Random(2));
  // The loss stays below the largest float32 (3.4e38), the gradient's square does not.
  engine.batch.reward!.fill(1e18);
  engine.batch.terminated!.fill(1);
  engine.batch.observation!.fill(1e4);
  t.throws(() => engine.update(), { code: 'E_DIVERGED', message: /gradient of critics is Infinity in update 0/ });
  await engine.dispose();
});
