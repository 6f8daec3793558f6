/** Kernels whose result does not depend on any input's values. */
import type * as tf from '@tensorflow/tfjs-core';
import { type KernelTable, kernel } from '../kernel.js';

export const constantKernels: KernelTable = {
  ZerosLike: kernel<{ x: tf.TensorInfo }>((trace, { x }) => trace.filled(0, x.shape, x.dtype)),
  OnesLike: kernel<{ x: tf.TensorInfo }>((trace, { x }) => trace.filled(1, x.shape, x.dtype)),
  Fill: kernel<object, tf.FillAttrs>((trace, _inputs, { shape, value, dtype }) =>
    trace.filled(Number(value), shape, dtype ?? 'float32'),
  ),
};
