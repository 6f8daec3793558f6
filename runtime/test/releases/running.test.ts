import { spawnSync } from 'node:child_process';
import { existsSync, lutimesSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openStore } from '../../src/releases/release-store.js';
import { announceRunning, runningNow, stillRunning } from '../../src/releases/running.js';
import { StoreLock } from '../../src/releases/store-lock.js';
import { killed, startBeside, startWithin } from '../support/other-process.js';

/** Its process is 1 of its own numbers. */
const newNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const inContainer = {
  skip: spawnSync(newNamespace[0]!, [...newNamespace.slice(1), 'true']).status !== 0 && 'needs a namespace of its own',
};

const [a, b] = ['a', 'b'].map(letter => letter.repeat(64)) as [string, string];

t.test('a loop that says it drives is seen until it takes that back', async t => {
  const store = openStore(join(t.testdir(), 'store'));
  t.equal(runningNow(store), undefined);
  const end = announceRunning(store, () => a);
  t.match(runningNow(store), { digest: a, pid: process.pid });
  t.ok(runningNow(store)!.sinceS < 5);
  const endOther = announceRunning(store, () => b);
  t.equal(runningNow(store)?.digest, b, 'another policy took over');
  endOther();
  t.equal(runningNow(store), undefined);
  t.notOk(existsSync(join(store.folder, 'running.json')));
  t.doesNotThrow(end, 'what is taken back is not there twice');
});

t.test('two loops do not follow one store; a killed one is none', async t => {
  const store = openStore(join(t.testdir(), 'store'));
  const child = await startBeside('hold-lock.js', store.folder, a);
  t.match(runningNow(store), { digest: a, pid: child.pid });
  t.throws(() => announceRunning(store, () => b), {
    code: 'E_STORE_RUNNING',
    exit: 'usage',
    message: new RegExp(`process ${child.pid} follows .* has driven for \\d+ s`),
    hint: /end that run first/,
  });
  await killed(child);
  t.ok(existsSync(join(store.folder, 'running.json')), 'it could not take it back');
  t.equal(runningNow(store), undefined);
  announceRunning(store, () => b)();
});

t.test('a loop in another container drives for as long as it says so now and then', inContainer, async t => {
  const store = openStore(join(t.testdir(), 'store'));
  const child = await startWithin(newNamespace, 'hold-lock.js', store.folder, a);
  t.match(runningNow(store), { digest: a }, 'though nobody here has its number');
  t.throws(() => announceRunning(store, () => b), { code: 'E_STORE_RUNNING', message: /of another container follows/ });
  t.throws(() => StoreLock.take(store, 'ann@desk'), {
    code: 'E_DEPLOY_BUSY',
    message: /^bob@desk \(process \d+ of another/,
  });
  const mark = join(store.folder, 'running.json');
  const minuteAgoS = Date.now() / 1000 - 61;
  utimesSync(mark, minuteAgoS, minuteAgoS);
  t.equal(runningNow(store), undefined, 'nothing was heard of it for a minute');
  stillRunning(store);
  t.equal(runningNow(store), undefined, 'nobody else speaks for it');
  utimesSync(mark, new Date(), new Date());
  t.match(runningNow(store), { digest: a }, 'it goes on');
  await killed(child);
  lutimesSync(join(store.folder, 'lock'), minuteAgoS, minuteAgoS);
  StoreLock.take(store, 'ann@desk').release();
});

t.test('a loop that drives touches its mark', async t => {
  const store = openStore(join(t.testdir(), 'store'));
  const end = announceRunning(store, () => a);
  const mark = join(store.folder, 'running.json');
  utimesSync(mark, 1, 1);
  stillRunning(store);
  t.ok(Date.now() - statSync(mark).mtimeMs < 10_000);
  end();
  t.doesNotThrow(() => stillRunning(store), 'what is taken back is not there any more');
});

t.test('a mark that somebody changed is named, not passed over', async t => {
  const store = openStore(join(t.testdir(), 'store'));
  writeFileSync(join(store.folder, 'running.json'), '{"digest":1}');
  t.throws(() => runningNow(store), { code: 'E_FILE_SCHEMA', message: /running\.json/ });
});
