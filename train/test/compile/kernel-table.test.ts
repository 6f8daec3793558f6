import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { kernelTable, traceBackend } from '../../src/compile/kernel-table.js';
import { traceBackendName } from '../../src/compile/trace-backend.js';
import { type Functions, runBothWays } from './run-traced.js';

const grid = [
  [1.5, -2, 0.3],
  [-0.7, 4, 0.25],
];
const other = [
  [0.5, 2, 0.3],
  [1, -3, 2],
];
const positive = [
  [0.1, 1, 7],
  [2, 3, 0.5],
];
const row = [[2, -1, 0.5]];
const cube = [grid, other];
const one = (f: (x: tf.Tensor) => tf.Tensor | tf.Tensor[], x: tf.TensorLike = grid) => [f as Functions, [x]] as const;
const two = (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, a: tf.TensorLike = grid, b: tf.TensorLike = other) =>
  [f as Functions, [a, b]] as const;
const number = (x: tf.Tensor) => tf.cast(x, 'float32');

/** What makes TensorFlow.js ask for each kernel. */
const cases: Record<string, readonly (readonly [Functions, readonly tf.TensorLike[]])[]> = {
  Abs: [one(tf.abs)],
  Add: [two(tf.add), two(tf.add, grid, row), one(x => tf.add(x, 0)), one(x => tf.add(tf.zeros([3]), x))],
  AddN: [two((a, b) => tf.addN([a, b, a]))],
  BatchMatMul: [
    two((a, b) => tf.matMul(a, b, false, true)),
    two((a, b) => tf.matMul(a, b, true, false)),
    two((a, b) => tf.matMul(a, b, true, false), cube, cube),
    two((a, b) => tf.matMul(a, b, false, true), [grid], [other]),
  ],
  Cast: [one(x => number(tf.cast(x, 'int32'))), one(x => tf.cast(x, 'float32'))],
  ClipByValue: [one(x => tf.clipByValue(x, -1, 1))],
  Concat: [two((a, b) => tf.concat([a, b], 1)), two((a, b) => tf.concat([a, b], 0), grid, row)],
  Equal: [two((a, b) => number(tf.equal(a, b)))],
  Exp: [one(tf.exp)],
  ExpandDims: [one(x => tf.mul(tf.expandDims(x, 1), 2)), one(x => tf.expandDims(x, -1))],
  Fill: [one(x => tf.add(x, tf.fill([2, 3], 4)))],
  GatherV2: [
    two(
      (a, b) => tf.gather(a, tf.cast(b, 'int32')),
      [
        [5, 6],
        [7, 8],
        [9, 10],
      ],
      [2, 0],
    ),
    two((a, b) => tf.gather(a, tf.cast(b, 'int32'), 1), cube, [1, 0]),
  ],
  Greater: [two((a, b) => number(tf.greater(a, b)))],
  GreaterEqual: [two((a, b) => number(tf.greaterEqual(a, b)))],
  Identity: [one(x => tf.clone(tf.exp(x)))],
  Less: [two((a, b) => number(tf.less(a, b)))],
  LessEqual: [two((a, b) => number(tf.lessEqual(a, b)))],
  Log: [one(tf.log, positive)],
  LogicalAnd: [two((a, b) => number(tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0))))],
  LogicalNot: [one(x => number(tf.logicalNot(tf.greater(x, 0))))],
  LogicalOr: [two((a, b) => number(tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0))))],
  Max: [one(x => tf.max(x, 1)), one(x => tf.max(x))],
  Maximum: [two(tf.maximum), two(tf.maximum, grid, row)],
  Mean: [
    one(x => tf.mean(x, 0)),
    one(x => tf.mean(x, 1, true)),
    one(x => tf.mean(x)),
    one(x => tf.mean(tf.reshape(x, [3, 2]), 0)),
  ],
  Min: [one(x => tf.min(x, 1, true))],
  Minimum: [two(tf.minimum)],
  Multiply: [
    two(tf.mul),
    two(tf.mul, cube, row),
    one(x => tf.mul(x, 1)),
    one(x => tf.mul(x, tf.zeros([2, 3]))),
    one(x => tf.mul(tf.ones([2, 3]), x)),
  ],
  Neg: [one(tf.neg)],
  OnesLike: [one(x => tf.add(x, tf.onesLike(x)))],
  PadV2: [
    one(x =>
      tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        9,
      ),
    ),
  ],
  Pow: [two(tf.pow, positive, other)],
  RealDiv: [two(tf.div)],
  Reciprocal: [one(tf.reciprocal)],
  Relu: [one(tf.relu)],
  Reshape: [
    one(x => tf.reshape(x, [3, 2])),
    two((a, b) => tf.add(tf.reshape(a, [6]), tf.reshape(b, [6]))),
    two((a, b) => tf.sub(tf.reshape(a, [3, 2]), tf.transpose(b))),
  ],
  Rsqrt: [one(tf.rsqrt, positive)],
  Select: [two((a, b) => tf.where(tf.greater(a, b), a, b))],
  Sigmoid: [one(tf.sigmoid)],
  Sign: [one(tf.sign)],
  Slice: [
    one(x => tf.slice(x, [0, 1], [2, 1])),
    one(x => tf.slice(x, [1], [1])),
    one(x => tf.slice(x, [0, 0], [2, 3])),
  ],
  Softplus: [one(tf.softplus)],
  SplitV: [one(x => tf.split(x, [1, 2], 1)), one(x => tf.split(x, 3, 1))],
  Sqrt: [one(tf.sqrt, positive)],
  Square: [one(tf.square)],
  SquaredDifference: [two(tf.squaredDifference)],
  Step: [one(tf.step), one(x => tf.add(tf.relu(x), tf.step(x)))],
  Sub: [two(tf.sub), two(tf.sub, row, grid)],
  Sum: [
    one(x => tf.sum(x, 0)),
    one(x => tf.sum(x, 0, true)),
    one(x => tf.sum(x, 1)),
    one(x => tf.sum(x)),
    one(x => tf.sum(x, [0, 2]), cube),
    one(x => tf.sum(x, -1), cube),
  ],
  Tanh: [one(tf.tanh)],
  Tile: [one(x => tf.tile(x, [2, 3]))],
  Transpose: [one(x => tf.transpose(x)), one(x => tf.transpose(x, [2, 0, 1]), cube)],
  ZerosLike: [one(x => tf.maximum(x, tf.zerosLike(x)))],
  _FusedMatMul: [
    two((a, b) =>
      tf.fused.matMul({
        a: a as tf.Tensor2D,
        b: b as tf.Tensor2D,
        transposeB: true,
        bias: tf.tensor1d([1, -2]),
        activation: 'relu',
      }),
    ),
    two((a, b) =>
      tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, transposeB: true, activation: 'sigmoid' }),
    ),
    two(
      (a, b) =>
        tf.fused.matMul({ a: a as tf.Tensor3D, b: b as tf.Tensor3D, transposeB: true, bias: tf.tensor1d([1, -2]) }),
      cube,
      cube,
    ),
  ],
};

const asked = new Set<string>();
traceBackend();
for (const name of Object.keys(kernelTable)) {
  const config = tf.getKernel(name, traceBackendName);
  tf.unregisterKernel(name, traceBackendName);
  tf.registerKernel({
    ...config,
    kernelFunc: call => {
      asked.add(name);
      return config.kernelFunc(call);
    },
  });
}

for (const [name, runs] of Object.entries(cases)) {
  t.test(`${name} means in ONNX Runtime what it means in TensorFlow.js`, async t => {
    asked.delete(name);
    for (const [f, xs] of runs) {
      const { expected, actual } = await runBothWays(f, xs);
      expected.forEach((values, i) => {
        t.equal(actual[i]?.length, values.length);
        values.forEach((value, j) => {
          t.ok(Math.abs(actual[i]![j]! - value) < 1e-5 * (1 + Math.abs(value)), `${actual[i]![j]} is ${value}`);
        });
      });
    }
    t.ok(asked.has(name), `TensorFlow.js asked for ${name}`);
  });
}

t.test('every kernel of the table is tried above', async t => {
  t.same(Object.keys(kernelTable).sort(), Object.keys(cases).sort());
});
