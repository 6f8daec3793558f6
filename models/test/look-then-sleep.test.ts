import { Worker } from 'node:worker_threads';
import t from 'tap';
import { lookThenSleep } from '../src/look-then-sleep.js';

const word = () => new Int32Array(new SharedArrayBuffer(4));

/** A thread that does it to the first of `words` as soon as that is 1, which says that the caller is about to wait. */
function another(words: Int32Array, doing: string): Worker {
  const code = `
    const { workerData: words } = require('node:worker_threads');
    while (Atomics.load(words, 0) !== 1);
    ${doing}`;
  return new Worker(code, { eval: true, workerData: words });
}

t.test('a word that has changed already is no reason to wait', async t => {
  const words = word();
  for (const lookForMs of [0, 10_000]) t.equal(lookThenSleep(words, 0, 1, 10_000, lookForMs), 'not-equal');
});

t.test('a word that stays as it is takes the look and the sleep', async t => {
  for (const [sleepMs, lookForMs] of [
    [0, 20],
    [20, 0],
    [20, 20],
  ] as const) {
    const start = performance.now();
    t.equal(lookThenSleep(word(), 0, 0, sleepMs, lookForMs), 'timed-out');
    t.ok(performance.now() - start >= sleepMs + lookForMs - 1, `${lookForMs} ms and ${sleepMs} ms`);
  }
});

t.test('who looks needs no notification', async t => {
  const words = word();
  const other = another(words, 'Atomics.store(words, 0, 2);');
  words[0] = 1;
  t.equal(lookThenSleep(words, 0, 1, 0, 60_000), 'not-equal');
  await other.terminate();
});

t.test('who sleeps is woken by one, though the word be the same', async t => {
  const words = word();
  const other = another(words, 'while (Atomics.notify(words, 0) === 0);');
  words[0] = 1;
  t.equal(lookThenSleep(words, 0, 1, 60_000, 0), 'ok');
  await other.terminate();
});
