import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import '../../src/compile/prepare-tensorflow.js';
import { weight, weightsUnder } from '../../src/nn/weight.js';

const weights = { '1/bias': tf.scalar(1), '10/bias': tf.scalar(2) };

t.test('a weight is found by its name', async t => {
  t.equal(weight(weights, '10/bias'), weights['10/bias']);
});

t.test('a missing weight is named, together with those there are', async t => {
  t.throws(() => weight(weights, '2/bias'), { code: 'E_WEIGHT_NAME', message: /'2\/bias' among 1\/bias, 10\/bias/ });
});

t.test('a part sees its own weights only, under short names', async t => {
  t.same(Object.keys(weightsUnder('1', weights)), ['bias']);
  t.equal(weightsUnder('1', weights).bias, weights['1/bias']);
});
