/** Kernels that treat each element alone: unary, binary with broadcasting, choice. */
import * as tf from '@tensorflow/tfjs-core';
import { elementType, floatAttribute, intAttribute } from '../graph.js';
import { type Kernel, type KernelTable, kernel } from '../kernel.js';
import { core, sameShape, type TraceBackend } from '../trace-backend.js';

type Unary = { x: tf.TensorInfo };
type Binary = { a: tf.TensorInfo; b: tf.TensorInfo };

const broadcast = (shapes: readonly (readonly number[])[]): number[] =>
  shapes.reduce<number[]>((all, shape) => tf.backend_util.assertAndGetBroadcastShape(all, [...shape]), []);

/** Records an operation whose inputs broadcast, in the shapes they have where that means the same, else in the shapes seen. */
function broadcasting(
  trace: TraceBackend,
  opType: string,
  inputs: readonly tf.TensorInfo[],
  dtype: tf.DataType,
): tf.TensorInfo {
  const seen = broadcast(inputs.map(input => input.shape));
  const shapes = inputs.map(input => trace.known(input).shape);
  const alike = inputs.every(
    (input, i) => sameShape(input.shape, inputs[0]!.shape) && sameShape(shapes[i]!, shapes[0]!),
  );
  const aligned = inputs.every((input, i) => sameShape(core(input.shape), core(shapes[i]!)));
  if (alike || aligned)
    return trace.emit(
      opType,
      inputs.map(x => trace.name(x)),
      broadcast(shapes),
      dtype,
      [],
      seen,
    );
  return trace.emit(
    opType,
    inputs.map(x => trace.nameShaped(x)),
    seen,
    dtype,
  );
}

const unary = (opType: string): Kernel =>
  kernel<Unary>((trace, { x }) => trace.emit(opType, [trace.name(x)], trace.known(x).shape, x.dtype, [], x.shape));

const binary = (opType: string, dtype?: tf.DataType): Kernel =>
  kernel<Binary>((trace, { a, b }) => broadcasting(trace, opType, [a, b], dtype ?? a.dtype));

const seenShape = ({ a, b }: Binary) => broadcast([a.shape, b.shape]);

/** x + 0 and 0 + x are x, where x already has the sum's shape. `detach` leaves many of them. */
const add = kernel<Binary>((trace, inputs) => {
  const { a, b } = inputs;
  if (trace.isFilledWith(b, 0) && sameShape(a.shape, seenShape(inputs))) return a;
  if (trace.isFilledWith(a, 0) && sameShape(b.shape, seenShape(inputs))) return b;
  return broadcasting(trace, 'Add', [a, b], a.dtype);
});

/** x·1 is x; x·0 is 0 (a loss that is not finite is refused anyway, so what 0·∞ would be does not matter). */
const multiply = kernel<Binary>((trace, inputs) => {
  const { a, b } = inputs;
  const shape = seenShape(inputs);
  if (trace.isFilledWith(a, 0) || trace.isFilledWith(b, 0)) return trace.filled(0, shape, a.dtype);
  if (trace.isFilledWith(b, 1) && sameShape(a.shape, shape)) return a;
  if (trace.isFilledWith(a, 1) && sameShape(b.shape, shape)) return b;
  return broadcasting(trace, 'Mul', [a, b], a.dtype);
});

/**
 * 1 where x > 0, else 0: min(max(3e38·x, 0), 1) in one pass. Sign, or Greater and Cast, take several times as long, and this stands in
 * every ReLU's gradient. Below 3e-39 (denormal) it is a ramp rather than a step.
 *
 * Taken from the ReLU's output where there is one, which is the same: then nothing but the ReLU needs the product before it, and ONNX
 * Runtime joins the two.
 */
const step = kernel<Unary>((trace, { x }) => {
  const source = trace.graph.find('Relu', [trace.name(x)]) ?? trace.name(x);
  const settings = [floatAttribute('alpha', 3e38), floatAttribute('beta', 0)];
  return trace.emit('HardSigmoid', [source], trace.known(x).shape, 'float32', settings, x.shape);
});

export const elementwiseKernels: KernelTable = {
  Abs: unary('Abs'),
  Exp: unary('Exp'),
  Log: unary('Log'),
  Neg: unary('Neg'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Tanh: unary('Tanh'),
  LogicalNot: unary('Not'),

  Add: add,
  Multiply: multiply,
  Sub: binary('Sub'),
  RealDiv: binary('Div'),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Pow: binary('Pow'),
  Equal: binary('Equal', 'bool'),
  Greater: binary('Greater', 'bool'),
  GreaterEqual: binary('GreaterOrEqual', 'bool'),
  Less: binary('Less', 'bool'),
  LessEqual: binary('LessOrEqual', 'bool'),
  LogicalAnd: binary('And', 'bool'),
  LogicalOr: binary('Or', 'bool'),

  /** ONNX Runtime's Pow takes four times as long. */
  Square: kernel<Unary>((trace, { x }) =>
    trace.emit('Mul', [trace.name(x), trace.name(x)], trace.known(x).shape, x.dtype, [], x.shape),
  ),
  SquaredDifference: kernel<Binary>((trace, { a, b }) => {
    const difference = broadcasting(trace, 'Sub', [a, b], a.dtype);
    return broadcasting(trace, 'Mul', [difference, difference], a.dtype);
  }),
  Rsqrt: kernel<Unary>((trace, { x }) => {
    const shape = trace.known(x).shape;
    const root = trace.emit('Sqrt', [trace.name(x)], shape, x.dtype, [], x.shape);
    return trace.emit('Reciprocal', [trace.name(root)], shape, x.dtype, [], x.shape);
  }),
  Step: step,
  ClipByValue: kernel<Unary, tf.ClipByValueAttrs>((trace, { x }, { clipValueMin, clipValueMax }) => {
    const bounds = [clipValueMin, clipValueMax].map(bound => trace.graph.scalar(bound));
    return trace.emit('Clip', [trace.name(x), ...bounds], trace.known(x).shape, x.dtype, [], x.shape);
  }),
  Cast: kernel<Unary, tf.CastAttrs>((trace, { x }, { dtype }) => {
    if (dtype === x.dtype) return x;
    const to = intAttribute('to', elementType(dtype));
    return trace.emit('Cast', [trace.name(x)], trace.known(x).shape, dtype, [to], x.shape);
  }),
  Select: kernel<{ condition: tf.TensorInfo; t: tf.TensorInfo; e: tf.TensorInfo }>((trace, { condition, t, e }) =>
    broadcasting(trace, 'Where', [condition, t, e], t.dtype),
  ),
  /** One after the other: ONNX's Sum of many is not to be had on every device (WebGPU), and costs a copy there and back for each term. */
  AddN: kernel<readonly tf.TensorInfo[]>((trace, terms) =>
    terms.reduce((sum, term) => broadcasting(trace, 'Add', [sum, term], sum.dtype)),
  ),
};
