import '../../src/compile/prepare-tensorflow.js';
import { decodeModel } from '@sim2servo/models/onnx-model';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { trace, useBackend } from '../../src/compile/trace.js';
import { detach } from '../../src/nn/detach.js';
import { runBothWays } from './run-traced.js';

await tf.setBackend('cpu');
const inputs = { x: [4, 3], w: [3, 2], b: [2] };

t.test('a kernel that the table lacks is an error that names it', async t => {
  t.throws(() => trace({ name: 'my loss', inputs, run: ({ x }) => ({ y: tf.cumsum(x!) }) }), {
    code: 'E_TRACE_KERNEL',
    message: /'my loss' needs the kernel Cumsum/,
    hint: /compile\/kernels/,
  });
});

t.test('a fused activation that the table lacks is named too', async t => {
  const run = ({ x, w }: Record<string, tf.Tensor>) => ({
    y: tf.fused.matMul({ a: x as tf.Tensor2D, b: w as tf.Tensor2D, activation: 'elu' }),
  });
  t.throws(() => trace({ name: 'loss', inputs, run }), { code: 'E_TRACE_KERNEL', message: /_FusedMatMul with elu/ });
});

t.test('reading a value inside a traced function is an error that says so', async t => {
  const run = ({ x }: Record<string, tf.Tensor>) => ({ y: tf.mul(x!, x!.dataSync()[0]!) });
  t.throws(() => trace({ name: 'loss', inputs, run }), { code: 'E_TRACE_READ' });
});

t.test("other errors pass as they are, and the backend in use is the caller's again", async t => {
  const boom = new Error('boom');
  t.throws(
    () =>
      trace({
        name: 'loss',
        inputs,
        run: () => {
          throw boom;
        },
      }),
    boom,
  );
  t.equal(tf.getBackend(), 'cpu');
  t.same([...tf.add(1, 2).dataSync()], [3]);
});

t.test('a trace leaves no tensor behind', async t => {
  const run = ({ x, w, b }: Record<string, tf.Tensor>) => ({ y: tf.relu(tf.add(tf.matMul(x!, w!), b!)) });
  trace({ name: 'warm-up', inputs, run });
  const before = tf.memory().numTensors;
  trace({ name: 'f', inputs, run });
  t.equal(tf.memory().numTensors, before);
});

t.test('inputs that nothing depends on are no inputs of the model', async t => {
  const traced = trace({ name: 'f', inputs, run: ({ x }) => ({ y: tf.neg(x!) }) });
  t.same(traced.inputs, ['x']);
  t.same(
    decodeModel(traced.model).graph!.input!.map(({ name }) => name),
    ['x'],
  );
});

t.test('values given for inputs become constants of the file, under their names', async t => {
  const traced = trace({
    name: 'f',
    inputs,
    values: { b: Float32Array.of(5, 6) },
    run: ({ x, w, b }) => ({ y: tf.fused.matMul({ a: x as tf.Tensor2D, b: w as tf.Tensor2D, bias: b! }) }),
  });
  t.same(traced.inputs, ['x', 'w']);
  const { initializer } = decodeModel(traced.model).graph!;
  t.same(
    initializer?.map(({ name, dims }) => [name, dims]),
    [['b', [2]]],
  );
});

t.test(
  'a dense layer with its ReLU is a Gemm with bias and a Relu, forward and backward without a reshape',
  async t => {
    const f = (...xs: tf.Tensor[]) => {
      const evaluate = tf.valueAndGrads((...ys: tf.Tensor[]) => {
        const [x, w, b] = ys as [tf.Tensor2D, tf.Tensor2D, tf.Tensor];
        return tf.mean(tf.relu(tf.fused.matMul({ a: x, b: w, bias: b }))) as tf.Scalar;
      });
      const { value, grads } = evaluate(xs);
      return [value, ...grads];
    };
    const x = [
      [1, 2, -3],
      [0.5, 1, 1],
    ];
    const w = [
      [1, -1],
      [0.5, 2],
      [0.25, 1],
    ];
    const { expected, actual, operations } = await runBothWays(f, [x, w, [0.5, -4]], true);
    t.ok(expected.flat().every((value, i) => Math.abs(value - actual.flat()[i]!) < 1e-6));
    t.same(operations, { Gemm: 4, Relu: 1, ReduceMean: 1, HardSigmoid: 1, Mul: 1 });
  },
);

t.test('what is computed from constants alone is computed once, now', async t => {
  const { expected, actual, operations } = await runBothWays(
    x => tf.mul(x!, tf.sub(tf.exp(tf.tensor1d([0, 1])), tf.scalar(1))),
    [[3, 4]],
  );
  t.same(operations, { Mul: 1 });
  t.ok(expected[0]!.every((value, i) => Math.abs(value - actual[0]![i]!) < 1e-5));
});

t.test('a detached value leaves no trace in the gradient', async t => {
  const gradient = (cut: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) =>
    tf.grad(y => tf.sum(tf.mul(tf.exp(y), cut(tf.tanh(y)))))(x);
  const detached = await runBothWays(x => gradient(detach)(x!), [[1, 2]]);
  t.same(detached.operations, { Exp: 1, Tanh: 1, Mul: 1 });
  t.ok(detached.expected[0]!.every((value, i) => Math.abs(value - detached.actual[0]![i]!) < 1e-5));
  const attached = await runBothWays(x => gradient(y => y)(x!), [[1, 2]]);
  t.ok((attached.operations.Mul ?? 0) > 1, 'the whole gradient is longer');
});

t.test('switching the backend is immediate', async t => {
  await import('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  useBackend('cpu');
  t.equal(tf.getBackend(), 'cpu');
  useBackend('wasm');
  t.same([...tf.add([1], [2]).dataSync()], [3]);
  useBackend('cpu');
});
