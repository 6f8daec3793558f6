import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { type MlpShape, mlp, mlpParameters } from '../../src/nn/mlp.js';
import { gradientError, normalTensor } from './finite-difference.js';

const weightsOf = (shape: MlpShape, random: Random) =>
  mlpParameters(shape).map(({ name, shape: dims }) => [name, normalTensor(random, dims, 0.5)] as const);

t.test('one hidden layer computes what a sheet of paper says', async t => {
  const shape = { inputs: 1, hidden: [2], outputs: 1, layerNorm: false };
  const weights = {
    'hidden0/kernel': tf.tensor2d([[1, -1]]),
    'hidden0/bias': tf.tensor1d([0, 1]),
    'out/kernel': tf.tensor2d([[2], [3]]),
    'out/bias': tf.tensor1d([0.5]),
  };
  // x = 2: hidden relu(2, −1) = (2, 0); x = −1: relu(−1, 2) = (0, 2).
  t.same([...mlp(shape, weights, tf.tensor2d([[2], [-1]])).dataSync()], [4.5, 6.5]);
});

t.test('without hidden layers it is linear', async t => {
  const shape = { inputs: 2, hidden: [], outputs: 1, layerNorm: false };
  const weights = { 'out/kernel': tf.tensor2d([[2], [3]]), 'out/bias': tf.tensor1d([1]) };
  t.same([...mlp(shape, weights, tf.tensor2d([[1, 1]])).dataSync()], [6]);
});

t.test('parameters are named by layer, in order', async t => {
  const names = mlpParameters({ inputs: 3, hidden: [4], outputs: 2, layerNorm: true }).map(({ name }) => name);
  t.same(names, ['hidden0/kernel', 'hidden0/bias', 'norm0/gain', 'norm0/offset', 'out/kernel', 'out/bias']);
});

for (const layerNorm of [false, true]) {
  t.test(`the gradient agrees with finite differences ${layerNorm ? 'with' : 'without'} layer norm`, async t => {
    const random = new Random(5);
    const shape = { inputs: 3, hidden: [8, 8], outputs: 2, layerNorm };
    const named = weightsOf(shape, random);
    const x = normalTensor(random, [6, 3]) as tf.Tensor2D;
    const f = (...values: tf.Tensor[]) => {
      const weights = Object.fromEntries(named.map(([name], i) => [name, values[i]!]));
      return tf.mean(tf.square(mlp(shape, weights, x))) as tf.Scalar;
    };
    const error = gradientError(
      f,
      named.map(([, value]) => value),
      random,
    );
    t.ok(error < 1e-2, `${error}`);
  });
}
