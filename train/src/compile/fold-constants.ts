/** Runs a kernel whose inputs are all constants now, on TensorFlow.js's `cpu` backend, instead of recording it. */
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { constantValues, type TraceBackend } from './trace-backend.js';

export function foldConstants(
  trace: TraceBackend,
  kernelName: string,
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap,
): tf.TensorInfo | tf.TensorInfo[] | undefined {
  const given = Object.entries(inputs).flatMap(([name, info]) => (info === undefined ? [] : [[name, info] as const]));
  if (given.length === 0 || given.some(([, info]) => trace.known(info).constant === undefined)) return undefined;
  const kernel = tf.getKernel(kernelName, 'cpu');
  const backend = tf.findBackend('cpu') as MathBackendCPU | null;
  if (!kernel || !backend) return undefined;
  const here = given.map(([name, info]) => {
    const dataId = backend.write(trace.known(info).constant!, info.shape, info.dtype);
    return [name, { dataId, shape: info.shape, dtype: info.dtype }] as const;
  });
  const copies = Array.isArray(inputs) ? here.map(([, info]) => info) : Object.fromEntries(here);
  const out = kernel.kernelFunc({ inputs: copies as tf.NamedTensorInfoMap, attrs, backend });
  const results = (Array.isArray(out) ? out : [out]).map(info => {
    const values = constantValues(backend.readSync(info.dataId), info.dtype);
    backend.disposeData(info.dataId, true);
    return trace.constant(values, info.shape, info.dtype);
  });
  for (const [, { dataId }] of here) backend.disposeData(dataId, true);
  return Array.isArray(out) ? results : results[0]!;
}
