/** A fully connected layer: one fused product, so that the tracer sees product and bias together and emits one Gemm. */
import * as tf from '@tensorflow/tfjs-core';
import type { Weights } from '../algorithms/algorithm.js';
import { fanInUniform, type Parameter } from './parameter.js';
import { weight } from './weight.js';

export function denseParameters(name: string, inputs: number, outputs: number): Parameter[] {
  return [
    { name: `${name}/kernel`, shape: [inputs, outputs], initialise: fanInUniform(inputs) },
    { name: `${name}/bias`, shape: [outputs], initialise: fanInUniform(inputs) },
  ];
}

/** x·kernel + bias: [batch, inputs] → [batch, outputs]. */
export function dense(weights: Weights, name: string, x: tf.Tensor2D): tf.Tensor2D {
  // No activation in here: where a gradient is taken, TensorFlow.js only fuses the linear one.
  const b = weight<tf.Tensor2D>(weights, `${name}/kernel`);
  return tf.fused.matMul({ a: x, b, bias: weight(weights, `${name}/bias`) }) as tf.Tensor2D;
}
