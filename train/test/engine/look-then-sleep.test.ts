import { Worker } from 'node:worker_threads';
import t from 'tap';
import { lookThenSleep } from '../../src/engine/look-then-sleep.js';

t.test('a word that has changed is not waited for', async t => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  words[1] = 5;
  // Would sleep for ever.
  lookThenSleep(words, 1, 4, Number.POSITIVE_INFINITY);
  t.equal(words[1], 5);
});

t.test('who sleeps is woken by the change', async t => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const change = `const { workerData } = require('node:worker_threads');
    setTimeout(() => { Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0); }, 50);`;
  const other = new Worker(change, { eval: true, workerData: words });
  lookThenSleep(words, 0, 0, Number.POSITIVE_INFINITY);
  t.equal(Atomics.load(words, 0), 1);
  await other.terminate();
});

t.test('a word that does not change is given up', async t => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  lookThenSleep(words, 0, 0, 1);
  t.equal(words[0], 0);
});
