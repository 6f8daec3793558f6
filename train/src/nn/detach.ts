/**
 * A value that carries no gradient. `tf.stopGradient` does not exist in TensorFlow.js (tensorflow/tfjs #3393), so it is an operation of
 * its own whose gradient is zero.
 */
import * as tf from '@tensorflow/tfjs-core';

const detached = tf.customGrad((...inputs) => {
  const x = inputs[0] as tf.Tensor;
  return { value: x.clone(), gradFunc: () => tf.zerosLike(x) };
});

export function detach<T extends tf.Tensor>(x: T): T {
  return detached(x) as T;
}
