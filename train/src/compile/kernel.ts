/** One entry of the tracer's kernel table: what a TensorFlow.js kernel is in ONNX. */
import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { TraceBackend } from './trace-backend.js';

export type Kernel = (trace: TraceBackend, inputs: NamedTensorInfoMap, attributes: object) => TensorInfo | TensorInfo[];

export type KernelTable = Readonly<Record<string, Kernel>>;

/** TensorFlow.js passes every kernel's inputs and attributes as loose records; this is the one place that trusts its own types for them. */
export function kernel<Inputs extends object, Attributes extends object = object>(
  run: (trace: TraceBackend, inputs: Inputs, attributes: Attributes) => TensorInfo | TensorInfo[],
): Kernel {
  return run as unknown as Kernel;
}
