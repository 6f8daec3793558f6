/** Matrix products. A plain one becomes a Gemm with its bias inside, which is what ONNX Runtime's CPU provider does best. */
import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, intsAttribute } from '../graph.js';
import { type KernelTable, kernel } from '../kernel.js';
import type { TraceBackend } from '../trace-backend.js';

interface Product {
  a: tf.TensorInfo;
  b: tf.TensorInfo;
  bias?: tf.TensorInfo;
}

interface Transposes {
  transposeA: boolean;
  transposeB: boolean;
}

function gemm(trace: TraceBackend, { a, b, bias }: Product, { transposeA, transposeB }: Transposes): tf.TensorInfo {
  const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
  const operands = [a, b].map(x => trace.nameShaped(x, x.shape.slice(-2)));
  if (bias !== undefined) operands.push(trace.name(bias));
  const flags = [intAttribute('transA', Number(transposeA)), intAttribute('transB', Number(transposeB))];
  const seen = [...a.shape.slice(0, -2), rows, columns];
  return trace.emit('Gemm', operands, [rows, columns], 'float32', flags, seen);
}

/** Stacked products, [..., m, k]·[..., k, n]. */
function matMul(trace: TraceBackend, { a, b }: Product, { transposeA, transposeB }: Transposes): tf.TensorInfo {
  const operand = (x: tf.TensorInfo, transpose: boolean) => {
    const name = trace.nameShaped(x);
    if (!transpose) return name;
    const rank = x.shape.length;
    const order = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    return trace.graph.operation('Transpose', [name], [intsAttribute('perm', order)]);
  };
  const stack = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...stack, a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
  return trace.emit('MatMul', [operand(a, transposeA), operand(b, transposeB)], shape, 'float32');
}

const isPlain = ({ a, b }: Product) => [a, b].every(x => x.shape.slice(0, -2).every(size => size === 1));

export const productKernels: KernelTable = {
  BatchMatMul: kernel<Product, Transposes>((trace, inputs, transposes) =>
    isPlain(inputs) ? gemm(trace, inputs, transposes) : matMul(trace, inputs, transposes),
  ),
  _FusedMatMul: kernel<Product, Transposes & { activation: tf.backend_util.Activation }>(
    (trace, inputs, attributes) => {
      const { activation } = attributes;
      const plain = isPlain(inputs);
      let out = plain ? gemm(trace, inputs, attributes) : matMul(trace, inputs, attributes);
      if (!plain && inputs.bias !== undefined) {
        const names = [trace.name(out), trace.nameShaped(inputs.bias)];
        out = trace.emit('Add', names, out.shape, 'float32');
      }
      if (activation === 'linear') return out;
      const opType = activation === 'relu' ? 'Relu' : activation === 'sigmoid' ? 'Sigmoid' : undefined;
      if (opType === undefined) throw new Error(`Cannot find registered kernel '_FusedMatMul with ${activation}'`);
      return trace.emit(opType, [trace.name(out)], trace.known(out).shape, 'float32', [], out.shape);
    },
  ),
};
