import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { dense, denseParameters } from '../../src/nn/dense.js';
import { gradientError, normalTensor } from './finite-difference.js';

t.test('a dense layer is x·kernel + bias', async t => {
  const weights = { 'a/kernel': tf.tensor2d([1, 2, 3, 4], [2, 2]), 'a/bias': tf.tensor1d([10, 20]) };
  t.same(
    [
      ...dense(
        weights,
        'a',
        tf.tensor2d([
          [1, 1],
          [2, 0],
        ]),
      ).dataSync(),
    ],
    [14, 26, 12, 24],
  );
});

t.test('the gradient of a dense layer agrees with finite differences', async t => {
  const random = new Random(1);
  const xs = [normalTensor(random, [5, 3]), normalTensor(random, [3, 4]), normalTensor(random, [4])];
  const f = (...[x, kernel, bias]: tf.Tensor[]) =>
    tf.mean(tf.square(dense({ 'a/kernel': kernel!, 'a/bias': bias! }, 'a', x as tf.Tensor2D))) as tf.Scalar;
  const error = gradientError(f, xs, random);
  t.ok(error < 2e-3, `${error}`);
});

t.test('kernel and bias start uniform in ±1/√inputs', async t => {
  const random = new Random(2);
  for (const { shape, initialise, name } of denseParameters('a', 16, 400)) {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    initialise(random, values);
    t.ok(
      values.every(value => Math.abs(value) <= 0.25),
      name,
    );
    t.ok(Math.max(...values) > 0.24 && Math.min(...values) < -0.24, name);
  }
});
