/**
 * Several networks of one shape with parameters of their own, and the ways to make one value of theirs: minimum of all, minimum of a
 * drawn subset (REDQ, RLPD), mean.
 *
 * Members are separate products rather than one stacked one: a plain Gemm with bias is what ONNX Runtime does best on a CPU.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Weights } from '../algorithms/algorithm.js';
import { type Parameter, prefixed } from './parameter.js';
import { weightsUnder } from './weight.js';

export function ensembleParameters(size: number, member: readonly Parameter[]): Parameter[] {
  return Array.from({ length: size }, (_, i) => prefixed(String(i), member)).flat();
}

/** The answer of each member, in order. */
export function ensemble<T>(size: number, weights: Weights, member: (weights: Weights) => T): T[] {
  return Array.from({ length: size }, (_, i) => member(weightsUnder(String(i), weights)));
}

export function minimum<T extends tf.Tensor>(values: readonly T[]): T {
  return values.reduce((lowest, value) => tf.minimum(lowest, value));
}

export function mean<T extends tf.Tensor>(values: readonly T[]): T {
  return values.length === 1 ? values[0]! : tf.div(tf.addN([...values]), values.length);
}

/** More than any value can be above another, and small enough to keep float32 finite. */
const outOfReach = 1e30;

/**
 * The minimum over the members that `chosen` marks.
 *
 * @param values  one [batch, 1] for each member
 * @param chosen  [1, members], 1 for those that count, 0 for the others
 */
export function minimumOfSubset(values: readonly tf.Tensor2D[], chosen: tf.Tensor2D): tf.Tensor2D {
  // (1 − 1)·1e30 is exactly 0, so a chosen value passes unchanged.
  const lift = tf.mul(tf.sub(1, chosen), outOfReach);
  return tf.min(tf.add(tf.concat([...values], 1), lift), 1, true);
}
