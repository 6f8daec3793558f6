import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import t from 'tap';
import { trace } from '../../src/compile/trace.js';
import { nativeBinding, openGraph, openPublic } from '../../src/engine/graph-session.js';

const { model } = trace({ name: 'double', inputs: { x: [3] }, run: ({ x }) => ({ y: tf.mul(x!, 2) }) });

for (const [name, open] of Object.entries({ native: openGraph, public: openPublic })) {
  t.test(`the ${name} session writes into the arrays it was given`, async t => {
    const session = await open(model);
    const [x, y] = [new Float32Array([1, 2, 3]), new Float32Array(3)];
    const feeds = { x: new ort.Tensor('float32', x, [3]) };
    const fetches = { y: new ort.Tensor('float32', y, [3]) };
    await session.run(feeds, fetches);
    t.same([...y], [2, 4, 6]);
    x.fill(-1);
    await session.run(feeds, fetches);
    t.same([...y], [-2, -2, -2]);
    await session.dispose();
  });
}

t.test('the pinned onnxruntime-node has the synchronous binding, and it runs synchronously', async t => {
  t.ok(nativeBinding());
  const session = await openGraph(model);
  const y = new Float32Array(3);
  const running = session.run(
    { x: new ort.Tensor('float32', Float32Array.of(1, 2, 3), [3]) },
    { y: new ort.Tensor('float32', y, [3]) },
  );
  t.equal(running, undefined);
  t.same([...y], [2, 4, 6]);
  await session.dispose();
});

t.test('the public session is a promise', async t => {
  const session = await openPublic(model);
  const running = session.run(
    { x: new ort.Tensor('float32', new Float32Array(3), [3]) },
    { y: new ort.Tensor('float32', new Float32Array(3), [3]) },
  );
  t.ok(running instanceof Promise);
  await running;
  await session.dispose();
});
