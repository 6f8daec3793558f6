import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TransitionRecord } from '@sim2servo/models/transition';
import fc from 'fast-check';
import t from 'tap';
import { readLog } from '../src/log-reader.js';
import { convertLog, logInfo, recoverLog } from '../src/logs.js';
import { header, sampleTick, writeSampleLog } from './support/sample-log.js';

const folder = t.testdir();
const whole = join(folder, 'whole.mcap');
const chunks = 6;
const perChunk = 5;
writeSampleLog(whole, chunks, perChunk);
const bytes = readFileSync(whole);

/** Where each chunk record ends: its opcode is 6, its length stands in the eight bytes after. */
const chunkEnds: number[] = [];
for (let at = 8; at < bytes.length - 8; ) {
  const end = at + 9 + Number(bytes.readBigUInt64LE(at + 1));
  if (bytes[at] === 6) chunkEnds.push(end);
  at = end;
}

let names = 0;
const fresh = () => join(folder, `${names++}.mcap`);
function records(path: string): TransitionRecord[] {
  const found: TransitionRecord[] = [];
  readLog(path, { record: record => found.push(record) });
  return found;
}

t.test('the info of a whole log', async t => {
  const info = logInfo(whole);
  t.match(info, { records: 30, chunks, complete: true, lostBytes: 0, damage: '', episodes: 3, missing: 0 });
  t.same(info.header, { ...header, controlRateHz: '50' });
  t.equal(info.startedAt, new Date(1_700_000_000_000).toISOString());
  t.ok(Math.abs(info.seconds - 29 * 0.02) < 1e-6);
  t.equal(info.late, 10);
  t.equal(info.stale, 6);
  t.equal(info.limiterTicks.nonFinite, 15);
});

t.test('a log cut off at any byte keeps everything up to its last whole chunk', async () => {
  fc.assert(
    fc.property(fc.integer({ min: chunkEnds[0]! - 400, max: bytes.length }), cut => {
      const path = fresh();
      const out = fresh();
      writeFileSync(path, bytes.subarray(0, cut));
      const kept = chunkEnds.filter(end => end <= cut).length * perChunk;
      const scan = recoverLog(path, out);
      const info = logInfo(out);
      if (!info.complete || info.damage !== '' || info.lostBytes !== 0)
        throw new Error('the recovered log is not whole');
      if (scan.records !== kept || info.records !== kept) throw new Error(`${info.records} kept of ${kept} at ${cut}`);
      if (JSON.stringify(info.header) !== JSON.stringify(logInfo(whole).header)) throw new Error('the header is lost');
      if (JSON.stringify(records(out)) !== JSON.stringify(records(whole).slice(0, kept)))
        throw new Error('records differ');
      if (scan.complete !== (cut === bytes.length)) throw new Error(`complete: ${scan.complete} at ${cut}`);
    }),
    { numRuns: 150 },
  );
});

t.test('a log cut exactly at, just before and just after each chunk', async t => {
  for (const [i, end] of chunkEnds.entries())
    for (const [cut, kept] of [
      [end - 1, i],
      [end, i + 1],
      [end + 1, i + 1],
    ] as const) {
      const path = fresh();
      writeFileSync(path, bytes.subarray(0, cut));
      recoverLog(path);
      t.equal(records(path).length, kept * perChunk);
      t.ok(logInfo(path).complete, 'recovered in place');
    }
});

t.test('the recovered log is the one that would have been written', async t => {
  const path = fresh();
  writeFileSync(path, bytes.subarray(0, chunkEnds.at(-1)!));
  recoverLog(path);
  t.same(readFileSync(path), bytes);
});

t.test('a flipped bit is found, and what stands before it is kept', async t => {
  const path = fresh();
  const spoilt = Buffer.from(bytes);
  spoilt[chunkEnds[3]! - 20]! ^= 4;
  writeFileSync(path, spoilt);
  const info = logInfo(path);
  t.match(info.damage, /CRC/);
  t.equal(info.records, 3 * perChunk);
  t.ok(info.lostBytes > 0);
  recoverLog(path, fresh());
});

t.test('a file that is no log is left alone', async t => {
  const path = fresh();
  writeFileSync(path, 'certainly no log, but long enough to be one');
  t.throws(() => logInfo(path), { code: 'E_LOG_FORMAT', exit: 'usage' });
  t.throws(() => recoverLog(path), { code: 'E_LOG_FORMAT' });
  t.equal(readFileSync(path, 'utf8'), 'certainly no log, but long enough to be one');
  writeFileSync(path, '');
  t.throws(() => logInfo(path), { code: 'E_LOG_FORMAT', message: /0 bytes/ });
  t.throws(() => logInfo(join(folder, 'absent')), { code: 'E_LOG_READ', exit: 'usage' });
});

t.test('nothing is written over', async t => {
  t.throws(() => recoverLog(whole, whole.replace('whole', '0')), { code: 'E_LOG_EXISTS' });
  t.throws(() => convertLog(whole, 'csv', whole), { code: 'E_LOG_EXISTS' });
  t.throws(() => convertLog(whole, 'csv', join(folder, 'absent', 'x.csv')), { code: 'E_LOG_WRITE' });
});

t.test('CSV has a column for every number', async t => {
  const out = join(folder, 'table.csv');
  convertLog(whole, 'csv', out);
  const [columns, ...rows] = readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => line.split(','));
  t.equal(rows.length, 30);
  t.ok(rows.every(row => row.length === columns!.length));
  const at = (row: number, name: string) => rows[row]![columns!.indexOf(name)];
  const tick = sampleTick(12);
  t.equal(at(12, 'timeS'), String(tick.timeS));
  t.equal(at(12, 'observation_3'), String(tick.observation[3]));
  t.equal(at(12, 'goal_2'), String(tick.goal[2]));
  t.equal(at(12, 'late'), 'true');
});

t.test('JSON Lines have a record a line', async t => {
  const out = join(folder, 'table.jsonl');
  convertLog(whole, 'jsonl', out);
  const rows = readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);
  t.equal(rows.length, 30);
  t.match(rows[7], { step: 7, position: [...sampleTick(7).position], policyDigest: header.policyDigest });
});
