/** A program together with its gradient, as a function of tensors: what the tracer records and the eager engine runs. */
import '../compile/prepare-tensorflow.js';
import * as tf from '@tensorflow/tfjs-core';
import type { Declaration, Program, ProgramInputs } from '../algorithms/algorithm.js';

/** Shapes of all a program may read, by flat name: `actor/out/bias`, `batch/reward`, `noise/next`. */
export function inputShapes({ groups, averages, batch, noise }: Declaration): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  for (const [group, { parameters }] of Object.entries(groups)) {
    for (const { name, shape } of parameters) shapes[`${group}/${name}`] = shape;
  }
  for (const [average, { of }] of Object.entries(averages)) {
    for (const { name, shape } of groups[of]!.parameters) shapes[`${average}/${name}`] = shape;
  }
  for (const [name, shape] of Object.entries(batch)) shapes[`batch/${name}`] = shape;
  for (const [name, { shape }] of Object.entries(noise)) shapes[`noise/${name}`] = shape;
  return shapes;
}

/** From flat names back to what a program is given. */
export function programInputs(tensors: Readonly<Record<string, tf.Tensor>>): ProgramInputs {
  const groups: Record<string, Record<string, tf.Tensor>> = {};
  for (const [key, tensor] of Object.entries(tensors)) {
    const slash = key.indexOf('/');
    const owner = key.slice(0, slash);
    groups[owner] ??= {};
    groups[owner][key.slice(slash + 1)] = tensor;
  }
  const { batch = {}, noise = {}, ...rest } = groups;
  return {
    groups: rest,
    batch: batch as Record<string, tf.Tensor2D>,
    noise: noise as Record<string, tf.Tensor2D>,
  };
}

/**
 * The loss (`loss`), its metrics (`metric/…`) and its gradient (`gradient/group/parameter`), by flat name.
 * The caller disposes them.
 */
export function runWithGradients(
  program: Program,
  tensors: Readonly<Record<string, tf.Tensor>>,
): Record<string, tf.Tensor> {
  const trained = Object.keys(tensors).filter(key => program.trains.includes(key.slice(0, key.indexOf('/'))));
  const outputs: Record<string, tf.Tensor> = {};
  const evaluate = tf.valueAndGrads(() => {
    const { loss, metrics } = program.run(programInputs(tensors));
    // Out of reach of the tidy that valueAndGrads runs in.
    for (const [name, metric] of Object.entries(metrics)) outputs[`metric/${name}`] = tf.keep(metric.clone());
    return loss;
  });
  const { value, grads } = evaluate(trained.map(key => tensors[key]!));
  outputs.loss = value;
  trained.forEach((key, i) => {
    outputs[`gradient/${key}`] = grads[i]!;
  });
  return outputs;
}
