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

/** [batch, size] → [batch, size]. */
export function layerNorm(weights: Weights, name: string, x: tf.Tensor2D): tf.Tensor2D {
  const centred = tf.sub(x, tf.mean(x, 1, true));
  const variance = tf.mean(tf.square(centred), 1, true);
  const normalised = tf.div(centred, tf.sqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(normalised, weight(weights, `${name}/gain`)), weight(weights, `${name}/offset`));
}
