/** Runs a function both ways: on TensorFlow.js's `cpu` backend, and traced, in ONNX Runtime. */
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { trace, useBackend } from '../../src/compile/trace.js';

export type Functions = (...xs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

export interface Both {
  readonly expected: number[][];
  readonly actual: number[][];
  readonly operations: Readonly<Record<string, number>>;
}

/** @param xs  the inputs' values, nested as their shapes */
export async function runBothWays(f: Functions, xs: readonly tf.TensorLike[], anyShape = false): Promise<Both> {
  useBackend('cpu');
  const tensors = xs.map(x => tf.tensor(x, undefined, 'float32'));
  const run = (inputs: readonly tf.Tensor[]) => [f(...inputs)].flat();
  const expected = run(tensors).map(y => [...y.dataSync()].map(Number));
  const traced = trace({
    name: 'test',
    inputs: Object.fromEntries(tensors.map((x, i) => [`x${i}`, x.shape])),
    run: inputs => Object.fromEntries(run(Object.values(inputs)).map((y, i) => [`y${i}`, y])),
    anyShape,
  });
  const session = await ort.InferenceSession.create(traced.model);
  const feeds = traced.inputs.map(name => {
    const x = tensors[Number(name.slice(1))]!;
    return [name, new ort.Tensor('float32', Float32Array.from(x.dataSync()), x.shape)] as const;
  });
  const outputs = await session.run(Object.fromEntries(feeds));
  const actual = expected.map((_, i) => [...(outputs[`y${i}`]!.data as Float32Array)].map(Number));
  return { expected, actual, operations: traced.operations };
}
