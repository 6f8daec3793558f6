import { Worker } from 'node:worker_threads';
import t from 'tap';
import { RepeatedWait } from '../../src/vector/repeated-wait.js';

const word = () => new Int32Array(new SharedArrayBuffer(4));

/** Counts `words` down to 0, slowly; notifies at each, and without a change too. */
const counting = `
  const { workerData: words } = require('node:worker_threads');
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (words[0] > 0) {
    Atomics.wait(never, 0, 0, 2);
    Atomics.notify(words, 0);
    Atomics.sub(words, 0, 1);
    Atomics.notify(words, 0);
  }`;

t.test('a word that is there already, or never comes', async t => {
  for (const mayLook of [false, true]) {
    const wait = new RepeatedWait(mayLook);
    t.ok(wait.until(word(), 0, value => value === 0, 10_000));
    t.notOk(wait.until(word(), 0, value => value === 1, 10));
  }
});

t.test('it goes on waiting through changes and wake-ups that are not what it waits for', async t => {
  for (const mayLook of [false, true]) {
    const wait = new RepeatedWait(mayLook);
    const words = word();
    words[0] = 9;
    const other = new Worker(counting, { eval: true, workerData: words });
    t.ok(wait.until(words, 0, value => value === 0, 60_000));
    t.equal(words[0], 0);
    await other.terminate();
  }
});

/** Waits that write down whether they look (L), and get what they wait for by looking or only by sleeping. */
function writtenDown(mayLook = true) {
  let looked = '';
  let lookingSucceeds = true;
  const wait = new RepeatedWait(mayLook, (words, index, _value, _sleepMs, lookForMs = 0) => {
    looked += lookForMs > 0 ? 'L' : '.';
    words[index] = 1;
    return lookForMs > 0 && lookingSucceeds ? 'not-equal' : 'ok';
  });
  return (succeeds: boolean, times: number) => {
    looked = '';
    lookingSucceeds = succeeds;
    for (let time = 0; time < times; time++) wait.until(word(), 0, value => value === 1, 0);
    return looked;
  };
}

t.test(
  'who looked in vain sleeps at once for some times, twice as many after each, and half as many after a success',
  async t => {
    const waits = writtenDown();
    t.equal(waits(true, 5), 'LLLLL');
    t.equal(waits(false, 1 + 1 + 1 + 2 + 1 + 4 + 1 + 8), 'L.L..L....L........');
    t.equal(waits(true, 3), 'LLL');
    t.equal(waits(false, 1 + 2 + 1), 'L..L', '16, halved three times');
  },
);

t.test('without a core for each it never looks', async t => {
  const waits = writtenDown(false);
  t.equal(waits(true, 3), '...');
  t.equal(waits(false, 1000), '.'.repeat(1000));
});

t.test('it never stops looking altogether', async t => {
  const pauses = writtenDown()(false, 2000).split('L');
  t.equal(Math.max(...pauses.map(pause => pause.length)), 256);
});

t.test('within one wait it does not look again after it slept', async t => {
  const lookForMs: number[] = [];
  const wait = new RepeatedWait(true, (words, index, _value, _sleepMs, look = 0) => {
    lookForMs.push(look);
    words[index]!++;
    return lookForMs.length < 3 ? 'not-equal' : 'ok';
  });
  wait.until(word(), 0, value => value === 5, 0);
  t.same(
    lookForMs.map(look => look > 0),
    [true, true, true, false, false],
  );
});
