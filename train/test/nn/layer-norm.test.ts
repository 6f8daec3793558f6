import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { layerNorm, layerNormParameters } from '../../src/nn/layer-norm.js';
import { gradientError, normalTensor } from './finite-difference.js';

const weights = (gain: tf.Tensor, offset: tf.Tensor) => ({ 'n/gain': gain, 'n/offset': offset });

t.test('each row gets mean 0 and variance 1, then gain and offset', async t => {
  const x = tf.tensor2d([
    [1, 2, 3, 4],
    [-20, 0, 0, 20],
  ]);
  const plain = layerNorm(weights(tf.ones([4]), tf.zeros([4])), 'n', x).arraySync();
  for (const row of plain) {
    t.ok(Math.abs(row.reduce((a, b) => a + b)) < 1e-5);
    t.ok(Math.abs(row.reduce((a, b) => a + b * b, 0) / 4 - 1) < 1e-4);
  }
  const scaled = layerNorm(weights(tf.fill([4], 3), tf.fill([4], 5)), 'n', x).arraySync();
  scaled.flat().forEach((value, i) => {
    t.ok(Math.abs(value - (3 * plain.flat()[i]! + 5)) < 1e-5);
  });
});

t.test('a row of equal values gives the offset, not NaN', async t => {
  const out = layerNorm(weights(tf.ones([3]), tf.tensor1d([1, 2, 3])), 'n', tf.fill([1, 3], 7)).dataSync();
  t.same([...out], [1, 2, 3]);
});

t.test('the written-out gradient agrees with finite differences in input, gain and offset', async t => {
  const random = new Random(1);
  const xs = [normalTensor(random, [6, 5]), normalTensor(random, [5]), normalTensor(random, [5])];
  const goal = normalTensor(random, [6, 5]);
  const loss = (x: tf.Tensor, gain: tf.Tensor, offset: tf.Tensor) =>
    tf.mean(tf.square(tf.sub(layerNorm(weights(gain, offset), 'n', x as tf.Tensor2D), goal))) as tf.Scalar;
  for (let part = 0; part < 3; part++) {
    const f = (moved: tf.Tensor) => {
      const [x, gain, offset] = xs.map((value, i) => (i === part ? moved : value));
      return loss(x!, gain!, offset!);
    };
    const error = gradientError(f as (...xs: tf.Tensor[]) => tf.Scalar, [xs[part]!], random);
    t.ok(error < 5e-3, `part ${part}: ${error}`);
  }
});

t.test('gain starts at 1 and offset at 0', async t => {
  const [gain, offset] = layerNormParameters('n', 3).map(({ initialise }) => {
    const values = new Float32Array(3).fill(9);
    initialise(new Random(0), values);
    return [...values];
  });
  t.same(gain, [1, 1, 1]);
  t.same(offset, [0, 0, 0]);
});
