import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { ensemble, ensembleParameters, mean, minimum, minimumOfSubset } from '../../src/nn/ensemble.js';
import { constantInitialiser } from '../../src/nn/parameter.js';
import { gradientError, normalTensor } from './finite-difference.js';

const columns = [tf.tensor2d([[1], [5]]), tf.tensor2d([[2], [4]]), tf.tensor2d([[3], [-1e3]])];

t.test('each member has parameters of its own, found under its number', async t => {
  const parameters = ensembleParameters(2, [{ name: 'w', shape: [1], initialise: constantInitialiser(0) }]);
  t.same(
    parameters.map(({ name }) => name),
    ['0/w', '1/w'],
  );
  const weights = { '0/w': tf.scalar(3), '1/w': tf.scalar(4) };
  t.same(
    ensemble(2, weights, ({ w }) => w!.dataSync()[0]),
    [3, 4],
  );
});

t.test('minimum and mean are taken row by row', async t => {
  t.same([...minimum(columns).dataSync()], [1, -1000]);
  t.same([...mean(columns.slice(0, 2)).dataSync()], [1.5, 4.5]);
  t.same([...mean([columns[0]!]).dataSync()], [1, 5]);
});

t.test('the minimum of a subset is exact and does not see the others', async t => {
  const values = [0.1, -3.25, 1e6].map(value => tf.tensor2d([[value]]));
  const chosen = (...marks: number[]) => minimumOfSubset(values, tf.tensor2d([marks])).dataSync()[0];
  t.equal(chosen(1, 0, 1), Math.fround(0.1));
  t.equal(chosen(0, 0, 1), 1e6);
  t.equal(chosen(1, 1, 1), -3.25);
});

t.test('gradients of minimum and mean agree with finite differences', async t => {
  const random = new Random(3);
  const xs = [0, 1, 2].map(() => normalTensor(random, [4, 1]));
  for (const combine of [minimum, mean]) {
    const f = (...values: tf.Tensor[]) => tf.sum(tf.square(combine(values))) as tf.Scalar;
    const error = gradientError(f, xs, random, { step: 1e-3 });
    t.ok(error < 2e-2, `${combine.name}: ${error}`);
  }
});
