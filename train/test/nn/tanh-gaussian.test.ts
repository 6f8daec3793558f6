import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { logProbability, preTanhSample, tanhGaussian } from '../../src/nn/tanh-gaussian.js';
import { gradientError, normalTensor, number } from './finite-difference.js';

const rows = (...values: number[][]) => tf.tensor2d(values);

t.test('the first half of the output is the mean, the second the log std squeezed into [−5, 2]', async t => {
  const { mean, logStd } = tanhGaussian(rows([0.3, -40, -1e9, 1e9], [7, 8, 0, 0.5]));
  t.same([...mean.dataSync()], [0.3, -40, 7, 8].map(Math.fround));
  const [low, high, middle, some] = logStd.dataSync();
  t.ok(Math.abs(low! + 5) < 1e-6 && Math.abs(high! - 2) < 1e-6);
  t.equal(middle, -1.5);
  t.ok(Math.abs(some! - (-1.5 + 3.5 * Math.tanh(0.5))) < 1e-6);
});

t.test('the squeezed log std still has a gradient near its bounds, where a clip has none', async t => {
  const gradient = tf.grad(x => tf.sum(tanhGaussian(x as tf.Tensor2D).logStd))(rows([0, 3]));
  t.ok(gradient.dataSync()[1]! > 0.01);
});

t.test('the log-probability is the density of tanh(u) by the change of variables', async t => {
  const [mean, std] = [0.4, 0.6];
  for (const noise of [-1.3, 0, 0.2, 1.7]) {
    const u = mean + std * noise;
    const normal = Math.exp(-0.5 * noise * noise) / (std * Math.sqrt(2 * Math.PI));
    const expected = Math.log(normal / (1 - Math.tanh(u) ** 2));
    const actual = number(logProbability(rows([u]), rows([noise]), rows([Math.log(std)])));
    t.ok(Math.abs(actual - expected) < 1e-4, `${actual} against ${expected}`);
  }
});

t.test('the density integrates to 1 over the actions', async t => {
  const [mean, logStd, count] = [-0.3, -0.2, 4000];
  let mass = 0;
  for (let i = 0; i < count; i++) {
    const action = -1 + (2 * (i + 0.5)) / count;
    const u = Math.atanh(action);
    const noise = (u - mean) / Math.exp(logStd);
    mass += (Math.exp(number(logProbability(rows([u]), rows([noise]), rows([logStd])))) * 2) / count;
  }
  t.ok(Math.abs(mass - 1) < 2e-3, `${mass}`);
});

t.test('log-probabilities of several dimensions add up', async t => {
  const both = number(logProbability(rows([0.5, -1]), rows([0.3, 0.1]), rows([-1, 0.5])));
  const first = number(logProbability(rows([0.5]), rows([0.3]), rows([-1])));
  const second = number(logProbability(rows([-1]), rows([0.1]), rows([0.5])));
  t.ok(Math.abs(both - first - second) < 1e-5);
});

t.test('the tanh correction keeps its gradient where 1 − a² has underflowed', async t => {
  // d/du of −log(1 − tanh²u) is 2·tanh(u): ±2 far out, on both sides.
  const slope = tf.grad(u => tf.sum(logProbability(u as tf.Tensor2D, rows([0]), rows([0]))));
  for (const u of [15, 40, -15, -40]) {
    t.ok(Math.abs(number(slope(rows([u]))) - 2 * Math.sign(u)) < 1e-5, `u = ${u}`);
    t.ok(Number.isFinite(number(logProbability(rows([u]), rows([0]), rows([0])))));
  }
});

t.test('the gradient of sample and log-probability agrees with finite differences', async t => {
  const random = new Random(4);
  const noise = normalTensor(random, [6, 2]) as tf.Tensor2D;
  const f = (output: tf.Tensor) => {
    const policy = tanhGaussian(output as tf.Tensor2D);
    const u = preTanhSample(policy, noise);
    return tf.sum(tf.add(tf.sum(tf.tanh(u), 1, true), logProbability(u, noise, policy.logStd))) as tf.Scalar;
  };
  const error = gradientError(f as (...xs: tf.Tensor[]) => tf.Scalar, [normalTensor(random, [6, 4], 0.7)], random);
  t.ok(error < 1e-2, `${error}`);
});
