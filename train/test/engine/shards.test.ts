import { Worker } from 'node:worker_threads';
import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { Arena } from '../../src/engine/arena.js';
import { GradientExchange, shareExchange } from '../../src/engine/gradient-exchange.js';
import { initialState } from '../../src/engine/initial-state.js';
import { optimiserKernels } from '../../src/engine/optimiser-kernels.js';
import { SplitEngine } from '../../src/engine/split.js';
import type { ExchangingSetup } from './exchanging-thread.js';
import { fillBatch, runUpdates, sizes, smallSac } from './small-sac.js';

const declaration = sac.declare(sizes, smallSac);
const state = initialState(declaration, new Random(1));

t.test('the same seed and number of threads give the same parameters bit for bit', async t => {
  const states = [];
  for (let i = 0; i < 2; i++) {
    const engine = await SplitEngine.create(declaration, state, { threads: 2 });
    await runUpdates(engine, 30, new Random(2));
    states.push(engine.save());
    await engine.dispose();
  }
  t.same(states[1], states[0]);
});

t.test('a state saved in the middle goes on bit for bit, on all threads', async t => {
  const whole = await SplitEngine.create(declaration, state, { threads: 2 });
  const random = new Random(2);
  await runUpdates(whole, 10, random);
  const rest = await SplitEngine.create(declaration, state, { threads: 2 });
  rest.load(whole.save());
  await runUpdates(rest, 10, Random.restore(random.save()));
  await runUpdates(whole, 10, random);
  t.same(rest.save(), whole.save());
  await whole.dispose();
  await rest.dispose();
});

t.test('a batch that has no such equal parts is refused', async t => {
  await t.rejects(SplitEngine.create(declaration, state, { threads: 3 }), {
    code: 'E_SHARDS',
    message: 'A batch of 16 has no 3 equal parts.',
  });
});

t.test('a loss that diverges on one thread only is said once, and the threads end', async t => {
  const engine = await SplitEngine.create(declaration, state, { threads: 2 });
  fillBatch(engine, new Random(2));
  engine.drawNoise(new Random(3));
  engine.batch.reward!.fill(Number.NaN, smallSac.batchSize / 2);
  t.throws(() => engine.update(), {
    code: 'E_DIVERGED',
    message: /loss of critics is NaN in update 0.* batch\/reward\[8\] is NaN/,
  });
  engine.load(state);
  fillBatch(engine, new Random(2));
  t.doesNotThrow(() => engine.update(), 'and a good state goes on');
  await engine.dispose();
});

t.test('shards of other parameters are found', async t => {
  for (const [title, difference] of Object.entries({ equal: 0, 'one bit apart': 1 })) {
    const shared = shareExchange(2, 64);
    const setup: ExchangingSetup = { shared, parameter: 0x3f80_0000 + difference, gradient: 3 };
    const other = new Worker(new URL('./exchanging-thread.js', import.meta.url), { workerData: setup });
    const arena = new Arena([16, 16, 16]);
    const [parameters, gradients, others] = [arena.allocate(16), arena.allocate(16), arena.allocate(16)];
    parameters.values.fill(1);
    gradients.values.fill(1);
    const scalars = Float32Array.of(5, 7);
    const groups = [{ name: 'critics', parameters, gradients }];
    const exchange = new GradientExchange(shared, 0);
    const average = () => exchange.average(groups, scalars, others, optimiserKernels(arena.memory));
    if (difference === 0) {
      average();
      t.same([...gradients.values], new Array(16).fill(2), `${title}: the mean of 1 and 3`);
      t.same([...scalars], [4, 5], `${title}: the scalars too`);
    } else t.throws(average, { code: 'E_SHARDS_DIFFER', message: /critics/ }, title);
    await other.terminate();
  }
});

t.test('a thread that breaks fails the meeting', async t => {
  const shared = shareExchange(2, 64);
  new GradientExchange(shared, 1).rendezvous.break();
  t.throws(() => new GradientExchange(shared, 0).rendezvous.meet(), { code: 'E_SHARD' });
});
