import '../../src/compile/prepare-tensorflow.js';
import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import t from 'tap';
import { trace } from '../../src/compile/trace.js';

await tf.setBackend('cpu');

const [rows, inputs, units] = [12, 3, 5];
const shapes = {
  x: [rows, inputs],
  a0: [inputs, units],
  a1: [units, 1],
  b0: [inputs, units],
  b1: [units, 1],
  lift: [1],
};
type Tensors = Readonly<Record<string, tf.Tensor>>;

const network = (x: tf.Tensor, w0: tf.Tensor, w1: tf.Tensor) =>
  tf.matMul(tf.relu(tf.matMul(x as tf.Tensor2D, w0 as tf.Tensor2D)), w1 as tf.Tensor2D);

const lower = (x: tf.Tensor, { a0, a1, b0, b1, lift }: Tensors) =>
  tf.minimum(tf.add(network(x, a0!, a1!), lift!), network(x, b0!, b1!));

/** The gradient of the lower network's mean by what goes in. */
const byInput = ({ x, ...weights }: Tensors) => ({ dx: tf.grad(input => tf.mean(lower(input, weights)))(x!) });

function values(lift: number): Record<string, Float32Array> {
  const random = new Random(3);
  const drawn = Object.entries(shapes).map(([name, shape]) => {
    const out = new Float32Array(shape.reduce((product, size) => product * size, 1));
    random.fillNormal(out);
    return [name, name === 'lift' ? Float32Array.of(lift) : out] as const;
  });
  return Object.fromEntries(drawn);
}

async function run(traced: ReturnType<typeof trace>, given: Record<string, Float32Array>) {
  const session = await ort.InferenceSession.create(traced.model);
  const feeds = traced.inputs.map(name => [
    name,
    new ort.Tensor('float32', given[name]!, shapes[name as keyof typeof shapes]),
  ]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

t.test('rows that a minimum passes nothing to are left out, and the numbers stay the same', async t => {
  const everyRow = trace({ name: 'every row', inputs: shapes, run: byInput });
  const selected = trace({ name: 'selected rows', inputs: shapes, run: byInput, selectRows: true });
  t.equal(everyRow.operations.NonZero, undefined);
  t.equal(selected.operations.NonZero, 2, 'once for each side');
  t.equal(selected.operations.Gemm, everyRow.operations.Gemm, 'the same products, of fewer rows');
  for (const [lift, which] of [
    [0, 'some rows on either side'],
    [100, 'all rows on the second'],
    [-100, 'all rows on the first'],
  ] as const)
    t.same(await run(selected, values(lift)), await run(everyRow, values(lift)), which);
});

t.test('where the weights learn too, the chain ends at what they need of every row', async t => {
  const byAll = ({ x, ...weights }: Tensors) => {
    const names = Object.keys(weights);
    const gradients = tf.grads((input: tf.Tensor, ...ws: tf.Tensor[]) =>
      tf.mean(lower(input, Object.fromEntries(names.map((name, i) => [name, ws[i]!])))),
    )([x!, ...Object.values(weights)]);
    return { dx: gradients[0]!, da0: gradients[1]!, db1: gradients[4]! };
  };
  const everyRow = trace({ name: 'every row', inputs: shapes, run: byAll });
  const selected = trace({ name: 'selected rows', inputs: shapes, run: byAll, selectRows: true });
  t.same(await run(selected, values(0)), await run(everyRow, values(0)));
});

t.test('a condition without its opposite is left alone: most rows may count', async t => {
  const masked = ({ x, a0, a1 }: Tensors) => ({
    y: tf.matMul(
      tf.mul(network(x!, a0!, a1!), tf.cast(tf.greater(network(x!, a0!, a1!), 0), 'float32')) as tf.Tensor2D,
      tf.ones([1, 2]),
    ),
  });
  const everyRow = trace({ name: 'masked', inputs: shapes, run: masked });
  t.same(trace({ name: 'masked', inputs: shapes, run: masked, selectRows: true }).model, everyRow.model);
});
