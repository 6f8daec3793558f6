/** Kernels that move elements and compute nothing. */
import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, intsAttribute } from '../graph.js';
import { type KernelTable, kernel } from '../kernel.js';
import type { TraceBackend } from '../trace-backend.js';

type Unary = { x: tf.TensorInfo };

function slice(trace: TraceBackend, x: tf.TensorInfo, axes: number[], begin: number[], size: number[]): tf.TensorInfo {
  const shape = [...x.shape];
  axes.forEach((axis, i) => {
    shape[axis] = size[i]!;
  });
  const end = begin.map((first, i) => first + size[i]!);
  const bounds = [begin, end, axes].map(values => trace.graph.indices(values));
  return trace.emit('Slice', [trace.nameShaped(x), ...bounds], shape, x.dtype);
}

export const shapeKernels: KernelTable = {
  Identity: kernel<Unary>((trace, { x }) => trace.reshaped(x, x.shape)),
  Reshape: kernel<Unary, tf.ReshapeAttrs>((trace, { x }, { shape }) =>
    trace.reshaped(x, tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape(x.shape))),
  ),
  ExpandDims: kernel<{ input: tf.TensorInfo }, tf.ExpandDimsAttrs>((trace, { input }, { dim }) => {
    const shape = [...input.shape];
    shape.splice(dim < 0 ? shape.length + dim + 1 : dim, 0, 1);
    return trace.reshaped(input, shape);
  }),
  Transpose: kernel<Unary, tf.TransposeAttrs>((trace, { x }, { perm }) =>
    trace.emit(
      'Transpose',
      [trace.nameShaped(x)],
      perm.map(axis => x.shape[axis]!),
      x.dtype,
      [intsAttribute('perm', perm)],
    ),
  ),
  Concat: kernel<readonly tf.TensorInfo[], tf.ConcatAttrs>((trace, parts, { axis }) => {
    const along = tf.util.parseAxisParam(axis, parts[0]!.shape)[0]!;
    const shape = tf.backend_util.computeOutShape(
      parts.map(part => part.shape),
      along,
    );
    const names = parts.map(part => trace.nameShaped(part));
    return trace.emit('Concat', names, shape, parts[0]!.dtype, [intAttribute('axis', along)]);
  }),
  Slice: kernel<Unary, tf.SliceAttrs>((trace, { x }, { begin, size }) => {
    const [first, sizes] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size) as [number[], number[]];
    const cut = sizes.map((_, axis) => axis).filter(axis => sizes[axis] !== x.shape[axis]);
    if (cut.length === 0) return x;
    return slice(
      trace,
      x,
      cut,
      cut.map(axis => first[axis]!),
      cut.map(axis => sizes[axis]!),
    );
  }),
  /** One Slice for each part: a part that nothing needs then costs nothing. */
  SplitV: kernel<Unary, tf.SplitVAttrs>((trace, { x }, { numOrSizeSplits, axis }) => {
    const along = tf.util.parseAxisParam(axis, x.shape)[0]!;
    const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, along);
    let begin = 0;
    return sizes.map(size => {
      const part = slice(trace, x, [along], [begin], [size]);
      begin += size;
      return part;
    });
  }),
  /** Rows of `x` by number, along one axis. */
  GatherV2: kernel<{ x: tf.TensorInfo; indices: tf.TensorInfo }, tf.GatherV2Attrs>(
    (trace, { x, indices }, { axis, batchDims }) => {
      const along = tf.util.parseAxisParam(axis, x.shape)[0]!;
      if (batchDims !== 0) throw new Error(`A gather with ${batchDims} batch dimensions is not traced.`);
      const shape = x.shape.toSpliced(along, 1, ...indices.shape);
      return trace.emit('Gather', [trace.nameShaped(x), trace.nameShaped(indices)], shape, x.dtype, [
        intAttribute('axis', along),
      ]);
    },
  ),
  Tile: kernel<Unary, tf.TileAttrs>((trace, { x }, { reps }) =>
    trace.emit(
      'Tile',
      [trace.nameShaped(x), trace.graph.indices(reps)],
      x.shape.map((size, i) => size * reps[i]!),
      x.dtype,
    ),
  ),
  PadV2: kernel<Unary, tf.PadV2Attrs>((trace, { x }, { paddings, constantValue }) => {
    const shape = x.shape.map((size, i) => size + paddings[i]![0] + paddings[i]![1]);
    const amounts = trace.graph.indices([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
    return trace.emit('Pad', [trace.nameShaped(x), amounts, trace.graph.scalar(constantValue)], shape, x.dtype);
  }),
};
