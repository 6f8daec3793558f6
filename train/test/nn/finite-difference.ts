/** Checks a gradient against central differences along random directions. */
import '../../src/compile/prepare-tensorflow.js';
import type { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import { elementCount } from '../../src/nn/parameter.js';

await tf.setBackend('cpu');

export function normalTensor(random: Random, shape: readonly number[], scale = 1): tf.Tensor {
  const values = new Float32Array(elementCount(shape));
  random.fillNormal(values);
  return tf.tensor(values, [...shape]).mul(scale);
}

/**
 * The largest difference between slope and gradient over several directions, relative to the gradient's length.
 *
 * Values are float32, so the step is wide and agreement ends at about 1e-2.
 */
export function gradientError(
  f: (...xs: tf.Tensor[]) => tf.Scalar,
  xs: readonly tf.Tensor[],
  random: Random,
  { directions = 8, step = 1e-2 } = {},
): number {
  return tf.tidy(() => {
    const { grads } = tf.valueAndGrads((...inputs) => f(...(inputs as tf.Tensor[])))([...xs]);
    const length = Math.sqrt(grads.reduce((sum, g) => sum + number(tf.sum(tf.square(g))), 0));
    let worst = 0;
    for (let i = 0; i < directions; i++) {
      const direction = xs.map(x => normalTensor(random, x.shape));
      const norm = Math.sqrt(direction.reduce((sum, d) => sum + number(tf.sum(tf.square(d))), 0));
      const at = (distance: number) =>
        number(f(...xs.map((x, j) => tf.add(x, tf.mul(direction[j]!, distance / norm)))));
      const slope = (at(step) - at(-step)) / (2 * step);
      const predicted = grads.reduce((sum, g, j) => sum + number(tf.sum(tf.mul(g, direction[j]!))), 0) / norm;
      worst = Math.max(worst, Math.abs(slope - predicted) / length);
      if (Number.isNaN(slope - predicted)) return Number.NaN;
    }
    return worst;
  });
}

export function number(x: tf.Tensor): number {
  return x.dataSync()[0]!;
}
