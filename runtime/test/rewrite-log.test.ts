import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readLog } from '../src/log-reader.js';
import { logInfo } from '../src/logs.js';
import { refuseExisting, rewriteLog } from '../src/rewrite-log.js';
import { header, writeSampleLog } from './support/sample-log.js';

const folder = t.testdir({});
const log = join(folder, 'log.mcap');
writeSampleLog(log, 3, 10);

t.test('records are left out or changed, metadata added, and the new log is whole', async t => {
  const out = join(folder, 'odd.mcap');
  const scan = rewriteLog(
    log,
    out,
    record => (record.step % 2 === 1 ? { ...record, episode: 7 } : undefined),
    old => new Map([...old, ['goals', 'none']]),
  );
  t.equal(scan.records, 30, 'what was read');
  const info = logInfo(out);
  t.match(info, { complete: true, records: 15, episodes: 1, header: { robot: header.robot, goals: 'none' } });
  const steps = new Set<number>();
  readLog(out, { record: ({ step }) => steps.add(step) });
  t.same([...steps], [1, 3, 5, 7, 9]);
});

t.test('a log may be replaced by what is made of it', async t => {
  const out = join(folder, 'same.mcap');
  writeFileSync(out, readFileSync(log));
  rewriteLog(out, out, record => (record.episode === 1 ? record : undefined));
  t.match(logInfo(out), { complete: true, records: 10 });
});

t.test('what can not be written is said, and leaves nothing behind', async t => {
  t.throws(() => rewriteLog(log, join(log, 'x.mcap')), { code: 'E_LOG_WRITE', message: /ENOTDIR|EEXIST/ });
  const failing = () => {
    throw new Error('no space left on device');
  };
  t.throws(() => rewriteLog(log, join(folder, 'full.mcap'), failing), {
    code: 'E_LOG_WRITE',
    message: /full\.mcap: no space left/,
  });
  t.same(
    readdirSync(folder).filter(name => name.includes('full') || name.endsWith('.part')),
    [],
  );
});

t.test('nothing is written over', async t => {
  t.throws(() => refuseExisting(log, '--log'), { code: 'E_LOG_EXISTS', exit: 'usage', hint: /--log/ });
  refuseExisting(join(folder, 'new.mcap'));
});
