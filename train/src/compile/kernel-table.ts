/** All kernels the tracer knows, and their registration with TensorFlow.js. */
import * as tf from '@tensorflow/tfjs-core';
import { foldConstants } from './fold-constants.js';
import type { KernelTable } from './kernel.js';
import { constantKernels } from './kernels/constant.js';
import { elementwiseKernels } from './kernels/elementwise.js';
import { productKernels } from './kernels/product.js';
import { reductionKernels } from './kernels/reduction.js';
import { shapeKernels } from './kernels/shape.js';
import { TraceBackend, traceBackendName } from './trace-backend.js';

export const kernelTable: KernelTable = {
  ...constantKernels,
  ...elementwiseKernels,
  ...productKernels,
  ...reductionKernels,
  ...shapeKernels,
};

let registered: TraceBackend | undefined;

/** The tracing backend, registered with TensorFlow.js at its first use. */
export function traceBackend(): TraceBackend {
  if (registered !== undefined) return registered;
  const backend = new TraceBackend();
  tf.registerBackend(traceBackendName, () => backend);
  for (const [kernelName, run] of Object.entries(kernelTable)) {
    tf.registerKernel({
      kernelName,
      backendName: traceBackendName,
      kernelFunc: ({ inputs, attrs }) =>
        foldConstants(backend, kernelName, inputs, attrs ?? {}) ?? run(backend, inputs, attrs ?? {}),
    });
  }
  registered = backend;
  return backend;
}
