import '../../src/compile/prepare-tensorflow.js';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import type { Program } from '../../src/algorithms/algorithm.js';
import { sac } from '../../src/algorithms/sac.js';
import { inputShapes, programInputs, runWithGradients } from '../../src/engine/run-program.js';
import { sizes, smallSac } from './small-sac.js';

await tf.setBackend('cpu');

t.test('all that a program may read has a flat name and a shape', async t => {
  const shapes = inputShapes(sac.declare(sizes, smallSac));
  t.same(shapes['actor/hidden0/kernel'], [5, 16]);
  t.same(shapes['targetCritics/1/out/bias'], [1]);
  t.same(shapes['batch/reward'], [16, 1]);
  t.same(shapes['noise/next'], [16, 2]);
  t.same(shapes['logAlpha/value'], []);
});

t.test('flat names come back as groups, batch and noise', async t => {
  const x = tf.scalar(1);
  const { groups, batch, noise } = programInputs({ 'a/b/c': x, 'batch/r': x, 'noise/n': x });
  t.same(
    [Object.keys(groups), Object.keys(groups.a!), Object.keys(batch), Object.keys(noise)],
    [['a'], ['b/c'], ['r'], ['n']],
  );
});

t.test('loss, metrics and the gradient of what is trained come out, and nothing else', async t => {
  const program: Program = {
    trains: ['a', 'c'],
    run: ({ groups }) => {
      const loss = tf.add(tf.mul(groups.a!.x!, groups.b!.x!), tf.square(groups.c!.x!)) as tf.Scalar;
      return { loss, metrics: { double: tf.mul(loss, 2) } };
    },
  };
  const outputs = runWithGradients(program, { 'a/x': tf.scalar(2), 'b/x': tf.scalar(3), 'c/x': tf.scalar(4) });
  const numbers = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, value.dataSync()[0]]));
  t.same(numbers, { loss: 22, 'metric/double': 44, 'gradient/a/x': 3, 'gradient/c/x': 8 });
});
