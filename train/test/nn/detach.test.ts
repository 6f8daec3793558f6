import '../../src/compile/prepare-tensorflow.js';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { detach } from '../../src/nn/detach.js';

await tf.setBackend('cpu');

t.test('a detached value passes unchanged', async t => {
  t.same([...detach(tf.tensor1d([1, -2, 3])).dataSync()], [1, -2, 3]);
});

t.test('no gradient flows through a detached value, and all of it beside it', async t => {
  const x = tf.tensor1d([1, -2, 3]);
  const gradient = tf.grad(x => tf.sum(tf.mul(detach(x), x)))(x);
  t.same([...gradient.dataSync()], [1, -2, 3], 'd/dx of c·x is c, where d/dx of x·x were 2x');
  t.same(
    [
      ...tf
        .grad(x => tf.sum(detach(x)))(x)
        .dataSync(),
    ],
    [0, 0, 0],
  );
});
