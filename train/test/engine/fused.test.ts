import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { sliceOfCall } from '../../src/engine/call-slice.js';
import { FusedEngine } from '../../src/engine/fused.js';
import { initialState } from '../../src/engine/initial-state.js';
import { SplitEngine } from '../../src/engine/split.js';
import { fillBatch, runUpdates, sizes, smallSac } from './small-sac.js';

const declaration = sac.declare(sizes, smallSac);
const state = initialState(declaration, new Random(1));

t.test('a call holds the data of all its updates, one after the other', async t => {
  const engine = await FusedEngine.create('cpu', declaration, state, 3);
  t.equal(engine.batch.reward!.length, 3 * smallSac.batchSize);
  t.equal(engine.noise.next!.length, 3 * smallSac.batchSize * sizes.action);
  engine.drawNoise(new Random(2));
  const single = await FusedEngine.create('cpu', declaration, state);
  const random = new Random(2);
  for (let i = 0; i < 3; i++) {
    single.drawNoise(random);
    t.same(sliceOfCall(engine.noise, i, 3), single.noise, `noise of update ${i}`);
  }
  await engine.dispose();
  await single.dispose();
});

t.test('metrics of a call are the mean over its updates', async t => {
  const [together, alone] = [
    await FusedEngine.create('cpu', declaration, state, 4),
    await SplitEngine.create(declaration, state),
  ];
  const random = new Random(3);
  fillBatch(together, random);
  together.drawNoise(random);
  const sums: Record<string, number> = {};
  for (let i = 0; i < 4; i++) {
    for (const [name, values] of Object.entries(sliceOfCall(together.batch, i, 4))) alone.batch[name]!.set(values);
    for (const [name, values] of Object.entries(sliceOfCall(together.noise, i, 4))) alone.noise[name]!.set(values);
    for (const [name, value] of Object.entries(await alone.update())) sums[name] = (sums[name] ?? 0) + value;
  }
  const means = together.update();
  t.same(Object.keys(means).sort(), Object.keys(sums).sort());
  for (const [name, sum] of Object.entries(sums)) t.ok(Math.abs(means[name]! - sum / 4) < 1e-5, name);
  await together.dispose();
  await alone.dispose();
});

t.test('a reward that is not a number stops the call and names the update that it came in', async t => {
  const engine = await FusedEngine.create('cpu', declaration, state, 8);
  await runUpdates(engine, 8, new Random(3));
  fillBatch(engine, new Random(3));
  engine.drawNoise(new Random(4));
  sliceOfCall(engine.batch, 5, 8).reward![7] = Number.NaN;
  t.throws(() => engine.update(), { code: 'E_DIVERGED', message: /loss of critics is NaN in update 13/ });
  await engine.dispose();
});

t.test('a gradient that is not finite is refused even where the loss is finite', async t => {
  const engine = await FusedEngine.create('cpu', declaration, state);
  fillBatch(engine, new Random(2));
  engine.batch.reward!.fill(1e18);
  engine.batch.terminated!.fill(1);
  engine.batch.observation!.fill(1e4);
  t.throws(() => engine.update(), { code: 'E_DIVERGED', message: /gradient of critics is Infinity in update 0/ });
  await engine.dispose();
});

t.test('each order of an update has a graph of its own, and only one is made', async t => {
  const delayed = sac.declare(sizes, { ...smallSac, actorEvery: 2, actorAfter: 4 });
  const engine = await FusedEngine.create('cpu', delayed, initialState(delayed, new Random(1)));
  await runUpdates(engine, 12, new Random(3));
  t.equal(Object.keys(engine.operations).length, 2, 'critics alone; critics, actor and temperature');
  t.same(engine.save().optimiserSteps, { actor: 4, critics: 12, logAlpha: 4 });
  await engine.dispose();
});

t.test('the state is saved at any call and goes on in a call of another length', async t => {
  const first = await FusedEngine.create('cpu', declaration, state, 2);
  const second = await FusedEngine.create('cpu', declaration, state, 6);
  await runUpdates(first, 6, new Random(3));
  await runUpdates(second, 6, new Random(3));
  const [a, b] = [first.save(), second.save()];
  for (const [name, values] of Object.entries(a.parameters)) {
    t.ok(
      values.every((value, i) => Math.abs(value - b.parameters[name]![i]!) < 1e-5),
      name,
    );
  }
  second.load(a);
  t.same(second.save(), a);
  await first.dispose();
  await second.dispose();
});
