/**
 * Layer normalisation (Ba et al. 2016, arXiv 1607.06450): each row to mean 0 and variance 1, then a learnt gain and offset. In critics it
 * bounds what they say about actions never seen, which is what learning from logs needs (Ball et al. 2023, RLPD).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Weights } from '../algorithms/algorithm.js';
import { constantInitialiser, type Parameter } from './parameter.js';
import { weight } from './weight.js';

/** Under the square root: rows of equal values stay finite (torch's and Flax's layers use 1e-5 and 1e-6). */
const epsilon = 1e-5;

export function layerNormParameters(name: string, size: number): Parameter[] {
  return [
    { name: `${name}/gain`, shape: [size], initialise: constantInitialiser(1) },
    { name: `${name}/offset`, shape: [size], initialise: constantInitialiser(0) },
  ];
}

/**
 * The gradient is written out, with x̂ the normalised rows and r = 1/√(variance + ε):
 * dx = r·(dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)). What automatic differentiation makes of it has three times as many operations.
 */
const normalise = tf.customGrad((...inputs) => {
  const [x, gain, offset, save] = inputs as unknown as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc];
  // A power rather than a square: so ONNX Runtime finds the layer norm in it and runs it as one operation.
  const centred = tf.sub(x, tf.mean(x, 1, true));
  const deviation = tf.sqrt(tf.add(tf.mean(tf.pow(centred, 2), 1, true), epsilon));
  const normalised = tf.div(centred, deviation);
  save([normalised, deviation, gain]);
  return {
    value: tf.add(tf.mul(normalised, gain), offset),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [rows, scale, weights] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
      const inner = tf.mul(dy, weights);
      const along = tf.mul(rows, tf.mean(tf.mul(inner, rows), 1, true));
      const dx = tf.div(tf.sub(tf.sub(inner, tf.mean(inner, 1, true)), along), scale);
      return [dx, tf.sum(tf.mul(dy, rows), 0), tf.sum(dy, 0)];
    },
  };
});

/** [batch, size] → [batch, size]. */
export function layerNorm(weights: Weights, name: string, x: tf.Tensor2D): tf.Tensor2D {
  return normalise(x, weight(weights, `${name}/gain`), weight(weights, `${name}/offset`)) as tf.Tensor2D;
}
