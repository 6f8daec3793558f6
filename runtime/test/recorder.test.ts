import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TransitionRecord } from '@sim2servo/models/transition';
import t from 'tap';
import { readLog } from '../src/log-reader.js';
import { logInfo, recoverLog } from '../src/logs.js';
import { Recorder, type RecorderOptions } from '../src/recorder.js';
import { header, sampleTick, sizes } from './support/sample-log.js';

const folder = t.testdir({ taken: 'a file' });
const options = (name: string, more: Partial<RecorderOptions> = {}): RecorderOptions => ({
  path: join(folder, name),
  header,
  sizes,
  ...more,
});

t.test('ticks come out of the log as they were given', async t => {
  const recorder = await Recorder.open(options('plain.mcap'));
  for (let i = 0; i < 100; i++) t.ok(recorder.record(sampleTick(i)));
  t.equal(recorder.failure(), undefined);
  const closed = await recorder.close();
  t.equal(closed.records, 100);
  t.equal(closed.bytes > 0, true);
  const records: TransitionRecord[] = [];
  const scan = readLog(recorder.path, { record: record => records.push(record) });
  t.ok(scan.complete);
  t.equal(records.length, 100);
  for (const [i, record] of records.entries()) {
    const tick = sampleTick(i);
    t.equal(record.step, tick.step);
    t.same(record.position, [...tick.position]);
    t.same(record.actionExecuted, [...tick.actionExecuted]);
    t.equal(record.policyDigest, header.policyDigest);
  }
});

t.test('where time is virtual nothing is dropped, however fast it runs', async t => {
  const recorder = await Recorder.open(options('fast.mcap', { capacity: 64, waitForRoom: true }));
  for (let i = 0; i < 20_000; i++) recorder.record(sampleTick(i));
  t.equal(recorder.dropped, 0);
  t.equal((await recorder.close()).records, 20_000);
  t.equal(logInfo(recorder.path).records, 20_000);
});

t.test('a full ring drops, says so, and counts', async t => {
  const recorder = await Recorder.open(options('full.mcap', { capacity: 64 }));
  let taken = 0;
  for (let i = 0; i < 5_000; i++) if (recorder.record(sampleTick(i))) taken++;
  t.ok(recorder.dropped > 0);
  t.equal(taken + recorder.dropped, 5_000);
  t.equal((await recorder.close()).records, taken);
});

t.test('a folder that can not be written to is an error before anything starts', async t => {
  await t.rejects(Recorder.open(options('taken/log.mcap')), { code: 'E_LOG_WRITE', exit: 'usage' });
  const there = join(folder, 'there.mcap');
  writeFileSync(there, 'precious');
  await t.rejects(Recorder.open(options('there.mcap')), { code: 'E_LOG_EXISTS' });
  t.equal(readFileSync(there, 'utf8'), 'precious');
});

t.test(
  'a full disk is an error with what to do',
  { skip: process.platform !== 'linux' && 'needs /dev/full' },
  async t => {
    await t.rejects(Recorder.open(options('x', { path: '/dev/full' })), {
      code: 'E_LOG_WRITE',
      message: /ENOSPC|no space/i,
      hint: /free/,
    });
  },
);

t.test('kill -9 loses a second at most, and the rest is recovered', async t => {
  const path = join(folder, 'killed.mcap');
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./support/record-until-killed.js', import.meta.url)), path],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  t.teardown(() => child.kill('SIGKILL'));
  let last = { timeS: 0, total: 0 };
  let first = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as typeof last;
    first ||= last.timeS;
    if (last.timeS - first > 2.5) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  t.equal(child.signalCode, 'SIGKILL');
  const before = logInfo(path);
  t.notOk(before.complete);
  recoverLog(path);
  const info = logInfo(path);
  t.ok(info.complete);
  t.equal(info.records, before.records);
  let kept = 0;
  const steps: number[] = [];
  readLog(path, {
    record: record => {
      kept = record.timeS;
      steps.push(record.step);
    },
  });
  t.ok(last.timeS - kept <= 1.05, `lost ${last.timeS - kept} s`);
  t.same(
    steps,
    Array.from({ length: steps.length }, (_, i) => i),
    'no hole before it',
  );
});
