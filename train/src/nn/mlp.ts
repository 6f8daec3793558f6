/** A multi-layer perceptron with ReLU, and a layer norm before each ReLU if wanted (Dense → LayerNorm → ReLU, RLPD's order). */
import * as tf from '@tensorflow/tfjs-core';
import type { Weights } from '../algorithms/algorithm.js';
import { dense, denseParameters } from './dense.js';
import { layerNorm, layerNormParameters } from './layer-norm.js';
import type { Parameter } from './parameter.js';

export interface MlpShape {
  readonly inputs: number;
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly layerNorm: boolean;
}

export function mlpParameters(shape: MlpShape): Parameter[] {
  const parameters: Parameter[] = [];
  let width = shape.inputs;
  shape.hidden.forEach((units, i) => {
    parameters.push(...denseParameters(`hidden${i}`, width, units));
    if (shape.layerNorm) parameters.push(...layerNormParameters(`norm${i}`, units));
    width = units;
  });
  parameters.push(...denseParameters('out', width, shape.outputs));
  return parameters;
}

/** [batch, inputs] → [batch, outputs], linear at the end. */
export function mlp(shape: MlpShape, weights: Weights, x: tf.Tensor2D): tf.Tensor2D {
  let h = x;
  shape.hidden.forEach((_units, i) => {
    h = dense(weights, `hidden${i}`, h);
    if (shape.layerNorm) h = layerNorm(weights, `norm${i}`, h);
    h = tf.relu(h);
  });
  return dense(weights, 'out', h);
}
