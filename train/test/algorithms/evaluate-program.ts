/** Runs one program of a declaration on the `cpu` backend with given numbers. */
import '../../src/compile/prepare-tensorflow.js';
import * as tf from '@tensorflow/tfjs-core';
import type { Declaration } from '../../src/algorithms/algorithm.js';
import { inputShapes, programInputs, runWithGradients } from '../../src/engine/run-program.js';
import { elementCount } from '../../src/nn/parameter.js';

await tf.setBackend('cpu');

export type Numbers = Readonly<Record<string, readonly number[]>>;

function tensors(declaration: Declaration, values: Numbers): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(inputShapes(declaration)).map(([key, shape]) => {
      const given = values[key] ?? new Array<number>(elementCount(shape)).fill(0);
      return [key, tf.tensor([...given], [...shape], 'float32')];
    }),
  );
}

/** Loss, metrics and gradients by flat name; what `values` leaves out is 0. */
export function evaluateProgram(declaration: Declaration, program: string, values: Numbers): Record<string, number[]> {
  const outputs = runWithGradients(declaration.programs[program]!, tensors(declaration, values));
  return Object.fromEntries(Object.entries(outputs).map(([key, tensor]) => [key, [...tensor.dataSync()]]));
}

/** The loss as a function of one group's parameters, in their order, for finite differences. */
export function lossOf(declaration: Declaration, program: string, group: string, values: Numbers) {
  const fixed = tensors(declaration, values);
  const keys = Object.keys(fixed).filter(key => key.startsWith(`${group}/`));
  const f = (...moved: tf.Tensor[]) => {
    const all = { ...fixed, ...Object.fromEntries(keys.map((key, i) => [key, moved[i]!])) };
    return declaration.programs[program]!.run(programInputs(all)).loss;
  };
  return { f, xs: keys.map(key => fixed[key]!) };
}
