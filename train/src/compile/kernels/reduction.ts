/** Sums, means, extremes along axes. */
import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, intsAttribute } from '../graph.js';
import { type Kernel, type KernelTable, kernel } from '../kernel.js';
import { core, sameShape, type TraceBackend } from '../trace-backend.js';

interface Attributes {
  axis: number | number[];
  keepDims: boolean;
}

interface Reduction {
  name: string;
  axes: number[];
  /** Seen by TensorFlow.js. */
  seen: number[];
  /** In the graph, with each reduced axis kept as 1. */
  shape: number[];
}

/** Finds the axes in the shape the value has in the graph. */
function prepare(trace: TraceBackend, x: tf.TensorInfo, { axis, keepDims }: Attributes): Reduction {
  const seenAxes = tf.util.parseAxisParam(axis, x.shape);
  const seen = keepDims
    ? x.shape.map((size, i) => (seenAxes.includes(i) ? 1 : size))
    : x.shape.filter((_, i) => !seenAxes.includes(i));
  const own = trace.known(x).shape;
  const keep = (shape: readonly number[], axes: number[]) => shape.map((size, i) => (axes.includes(i) ? 1 : size));
  if (seenAxes.length === x.shape.length) {
    const axes = own.map((_, i) => i);
    return { name: trace.name(x), axes, seen, shape: keep(own, axes) };
  }
  if (sameShape(core(own), core(x.shape))) {
    const shift = own.length - x.shape.length;
    const axes = seenAxes.map(i => i + shift).filter(i => i >= 0);
    return { name: trace.name(x), axes, seen, shape: keep(own, axes) };
  }
  return { name: trace.nameShaped(x), axes: seenAxes, seen, shape: keep(x.shape, seenAxes) };
}

const reduction = (opType: string): Kernel =>
  kernel<{ x: tf.TensorInfo }, Attributes>((trace, { x }, attributes) => {
    const { name, axes, seen, shape } = prepare(trace, x, attributes);
    if (axes.length === 0) return trace.reshaped(x, seen);
    const settings = [intsAttribute('axes', axes), intAttribute('keepdims', 1)];
    return trace.emit(opType, [name], shape, x.dtype, settings, seen);
  });

/** The sum over a batch, which is every bias's gradient, is a product with a row of ones: a third of ReduceSum's time. */
const sum = kernel<{ x: tf.TensorInfo }, Attributes>((trace, { x }, attributes) => {
  const { name, axes, seen, shape } = prepare(trace, x, attributes);
  if (axes.length === 0) return trace.reshaped(x, seen);
  if (axes.length === 1 && axes[0] === 0 && shape.length === 2 && x.dtype === 'float32') {
    const ones = trace.filled(1, [1, trace.known(x).shape[0]!], 'float32');
    return trace.emit('Gemm', [trace.name(ones), name], shape, 'float32', [], seen);
  }
  const settings = [intAttribute('keepdims', 1)];
  return trace.emit('ReduceSum', [name, trace.graph.indices(axes)], shape, x.dtype, settings, seen);
});

export const reductionKernels: KernelTable = {
  Sum: sum,
  Mean: reduction('ReduceMean'),
  // The one reduction whose axes TensorFlow.js calls otherwise.
  Max: kernel<{ x: tf.TensorInfo }, tf.MaxAttrs>((trace, { x }, { reductionIndices, keepDims }) =>
    reduction('ReduceMax')(trace, { x }, { axis: reductionIndices, keepDims }),
  ),
  Min: reduction('ReduceMin'),
};
