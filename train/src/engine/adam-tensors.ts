/** Adam and Polyak as tensor operations: what the eager engine runs and the fused engine traces. The split engine's kernels do the same arithmetic. */
import * as tf from '@tensorflow/tfjs-core';
import type { AdamStep } from './adam.js';

export interface AdamTensors {
  readonly parameter: tf.Tensor;
  readonly firstMoment: tf.Tensor;
  readonly secondMoment: tf.Tensor;
}

/** Numbers where the step is known, scalars where it is an input of a graph. */
type Step = Pick<AdamStep, 'beta1' | 'beta2' | 'epsilon'> &
  Readonly<Record<'stepSize' | 'rootScale', number | tf.Tensor>>;

/** One step; all of one shape. */
export function adamTensors(
  { parameter, firstMoment, secondMoment }: AdamTensors,
  gradient: tf.Tensor,
  { stepSize, rootScale, beta1, beta2, epsilon }: Step,
): AdamTensors {
  const mix = (old: tf.Tensor, fresh: tf.Tensor, decay: number) => tf.add(tf.mul(old, decay), tf.mul(fresh, 1 - decay));
  const first = mix(firstMoment, gradient, beta1);
  const second = mix(secondMoment, tf.square(gradient), beta2);
  const change = tf.div(tf.mul(first, stepSize), tf.add(tf.mul(tf.sqrt(second), rootScale), epsilon));
  return { parameter: tf.sub(parameter, change), firstMoment: first, secondMoment: second };
}

/** target + tau·(source − target) */
export function polyakTensors(target: tf.Tensor, source: tf.Tensor, tau: number): tf.Tensor {
  return tf.add(target, tf.mul(tf.sub(source, target), tau));
}
