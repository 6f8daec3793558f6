import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readLog } from '../src/log-reader.js';
import { metadata, sampleTick, writeSampleLog } from './support/sample-log.js';

const folder = t.testdir();
const path = join(folder, 'log.mcap');
writeSampleLog(path, 4, 5);

t.test('a visitor is told everything in the order of the file', async t => {
  const seen: string[] = [];
  const scan = readLog(path, {
    metadata: found => {
      t.same(Object.fromEntries(found), Object.fromEntries(metadata));
      seen.push('metadata');
    },
    chunk: () => seen.push('chunk'),
    record: record => {
      seen.push(`record ${Math.round((record.timeS - sampleTick(0).timeS) / 0.02)}`);
    },
  });
  const expected = ['metadata'];
  for (let i = 0; i < 20; i++) expected.push(...(i % 5 === 0 ? ['chunk'] : []), `record ${i}`);
  t.same(seen, expected);
  t.same(scan, {
    bytes: readFileSync(path).length,
    records: 20,
    chunks: 4,
    complete: true,
    lostBytes: 0,
    damage: '',
  });
});

t.test('a file longer than one block is read through', async t => {
  const long = join(folder, 'long.mcap');
  writeSampleLog(long, 8, 2_000);
  t.ok(readFileSync(long).length > 2 ** 21);
  let last = -1;
  const scan = readLog(long, {
    record: record => {
      last = record.episode * 10 + record.step;
    },
  });
  t.equal(scan.records, 16_000);
  t.equal(last, 15_999);
});

t.test('bytes that belong to no whole chunk are counted', async t => {
  const bytes = readFileSync(path);
  const cut = join(folder, 'cut.mcap');
  writeFileSync(cut, bytes.subarray(0, bytes.length - 20));
  const scan = readLog(cut, {});
  t.notOk(scan.complete);
  t.equal(scan.records, 20);
  t.ok(scan.lostBytes > 0);
});

t.test('an error of the visitor is not taken for damage', async t => {
  t.throws(
    () =>
      readLog(path, {
        record: () => {
          throw new RangeError('mine');
        },
      }),
    { message: 'mine' },
  );
});

t.test('a folder is not taken for a log', async t => {
  t.throws(() => readLog(folder, {}), { code: 'E_LOG_READ', exit: 'usage', hint: /mcap/ });
});
