/**
 * The squashed Gaussian policy: u = mean + std·noise, action = tanh(u). Randomness comes in as `noise`, which makes the sample a
 * differentiable function of the weights (the reparametrisation trick).
 */
import * as tf from '@tensorflow/tfjs-core';

/** Bounds of the log standard deviation. */
const lowestLogStd = -5;
const highestLogStd = 2;

export interface TanhGaussian {
  /** [batch, actions], before the tanh */
  readonly mean: tf.Tensor2D;
  readonly logStd: tf.Tensor2D;
}

/**
 * Splits a network's output [batch, 2·actions] into the two.
 *
 * The log standard deviation is squeezed into [−5, 2] by a tanh (as pytorch_sac and CleanRL do) rather than clipped to [−20, 2]: a clip
 * has no gradient outside its bounds, so a unit that left them could never come back.
 */
export function tanhGaussian(output: tf.Tensor2D): TanhGaussian {
  const [mean, raw] = tf.split(output, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
  const half = (highestLogStd - lowestLogStd) / 2;
  return { mean, logStd: tf.add(tf.mul(tf.tanh(raw), half), lowestLogStd + half) };
}

/** u: [batch, actions]. */
export function preTanhSample({ mean, logStd }: TanhGaussian, noise: tf.Tensor2D): tf.Tensor2D {
  return tf.add(mean, tf.mul(tf.exp(logStd), noise));
}

/**
 * Log-probability of the action tanh(u), summed over the action dimensions.
 *
 * Uses log(1 − tanh²u) = 2(log 2 − u − softplus(−2u)), which keeps its gradient where 1 − a² has underflowed.
 *
 * @param preTanh  [batch, actions]  u, before the tanh
 * @param noise    [batch, actions]  the standard normal draw that made u
 * @param logStd   [batch, actions]
 * @returns        [batch, 1]
 * @see Haarnoja et al. 2018 (arXiv 1812.05905), appendix C
 */
export function logProbability(preTanh: tf.Tensor2D, noise: tf.Tensor2D, logStd: tf.Tensor2D): tf.Tensor2D {
  const actions = preTanh.shape[1];
  // Constants of all dimensions at once: log N(noise; 0, 1) has −½ log 2π, the correction −2 log 2.
  const constant = -actions * (0.5 * Math.log(2 * Math.PI) + 2 * Math.LN2);
  const correction = tf.mul(tf.add(preTanh, tf.softplus(tf.mul(preTanh, -2))), 2);
  const density = tf.add(tf.mul(tf.square(noise), 0.5), logStd);
  return tf.add(tf.sum(tf.sub(correction, density), 1, true), constant) as tf.Tensor2D;
}
