import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createLogFile } from '../src/log-file.js';

const folder = t.testdir({ taken: 'a file' });

t.test('bytes are appended, synced and cut back', async t => {
  const path = join(folder, 'new', 'deep', 'log');
  const file = createLogFile(path);
  file.append(Uint8Array.of(1, 2, 3));
  file.sync();
  file.append(Uint8Array.of(4));
  file.truncate(3);
  file.close();
  t.same([...readFileSync(path)], [1, 2, 3]);
});

t.test('a log is never written over', async t => {
  const path = join(folder, 'there');
  writeFileSync(path, 'precious');
  t.throws(() => createLogFile(path), { code: 'E_LOG_EXISTS', exit: 'usage', message: /there exists already/ });
  t.equal(readFileSync(path, 'utf8'), 'precious');
});

t.test('a folder that can not be had is one clear error', async t => {
  t.throws(() => createLogFile(join(folder, 'taken', 'log')), { code: 'E_LOG_WRITE', message: /taken/, hint: /--log/ });
  t.throws(() => createLogFile(folder), { code: 'E_LOG_WRITE' });
});

t.test(
  'a device may be named, and a full one throws',
  { skip: process.platform !== 'linux' && 'needs /dev/full' },
  async t => {
    const nowhere = createLogFile('/dev/null');
    nowhere.append(Uint8Array.of(1));
    nowhere.sync();
    nowhere.truncate(0);
    nowhere.close();
    const full = createLogFile('/dev/full');
    t.throws(() => full.append(Uint8Array.of(1)), { code: 'ENOSPC' });
    full.close();
  },
);
