import { Worker } from 'node:worker_threads';
import t from 'tap';
import { nextLookMs, RepeatedWait } from '../../src/vector/repeated-wait.js';

const word = () => new Int32Array(new SharedArrayBuffer(4));

t.test('it looks for what is expected from the last wait, and hardly for what is far away', async t => {
  t.equal(nextLookMs(0), 0.05);
  t.equal(nextLookMs(0.3), 0.65);
  t.equal(nextLookMs(2), 2);
  t.equal(nextLookMs(3), 0.05);
  t.equal(nextLookMs(1e6), 0.05);
});

t.test('a word that is there already, or never comes', async t => {
  for (const mayLook of [false, true]) {
    const wait = new RepeatedWait(mayLook);
    t.equal(
      wait.until(word(), 0, value => value === 0, 10_000),
      true,
    );
    t.equal(
      wait.until(word(), 0, value => value === 1, 10),
      false,
    );
  }
});

t.test('it goes on waiting through changes and wake-ups that are not what it waits for', async t => {
  for (const mayLook of [false, true]) {
    const words = word();
    words[0] = 9;
    // Counts down, slowly, and notifies without a change too.
    const code = `
      const { workerData: words } = require('node:worker_threads');
      const never = new Int32Array(new SharedArrayBuffer(4));
      while (words[0] > 0) {
        Atomics.wait(never, 0, 0, 2);
        Atomics.notify(words, 0);
        Atomics.sub(words, 0, 1);
        Atomics.notify(words, 0);
      }`;
    const other = new Worker(code, { eval: true, workerData: words });
    t.equal(
      new RepeatedWait(mayLook).until(words, 0, value => value === 0, 60_000),
      true,
    );
    t.equal(words[0], 0);
    await other.terminate();
  }
});
