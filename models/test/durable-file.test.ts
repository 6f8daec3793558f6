import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { syncFolder, writeDurably } from '../src/durable-file.js';

t.test('text and bytes are written as they are', async t => {
  const folder = t.testdir({});
  writeDurably(join(folder, 'text'), '0.5°\n');
  writeDurably(join(folder, 'bytes'), Uint8Array.of(0, 255, 10));
  writeDurably(join(folder, 'empty'), '');
  t.equal(readFileSync(join(folder, 'text'), 'utf8'), '0.5°\n');
  t.same([...readFileSync(join(folder, 'bytes'))], [0, 255, 10]);
  t.equal(readFileSync(join(folder, 'empty')).length, 0);
  t.same(readdirSync(folder).sort(), ['bytes', 'empty', 'text'], 'no draft is left');
});

t.test('an old file is replaced whole, also by a shorter one', async t => {
  const folder = t.testdir({ file: 'a long old content' });
  writeDurably(join(folder, 'file'), 'new');
  t.equal(readFileSync(join(folder, 'file'), 'utf8'), 'new');
});

t.test('where the folder is a file nothing is written, and the error comes out', async t => {
  const folder = t.testdir({ file: 'old' });
  t.throws(() => writeDurably(join(folder, 'file', 'inner'), 'new'), { code: 'ENOTDIR' });
  t.throws(() => writeDurably(join(folder, 'none', 'inner'), 'new'), { code: 'ENOENT' });
  t.equal(readFileSync(join(folder, 'file'), 'utf8'), 'old');
});

t.test('where the draft cannot become the file, what is there stays and the draft goes', async t => {
  const folder = t.testdir({ file: { inner: 'old' } });
  t.throws(() => writeDurably(join(folder, 'file'), 'new'), { code: /EISDIR|ENOTEMPTY|EEXIST/ });
  t.same(readdirSync(folder), ['file']);
  t.equal(readFileSync(join(folder, 'file', 'inner'), 'utf8'), 'old');
});

t.test('a disk that fills up half-way leaves the old file and no draft', async t => {
  const folder = t.testdir({ file: 'old' });
  mkdirSync(join(folder, 'room'));
  const path = join(folder, 'room', 'file');
  writeFileSync(path, 'old');
  const module = new URL('../src/durable-file.js', import.meta.url).href;
  // A limit on the size of a file stands in for the full disk: the write fails after some bytes have gone out.
  const program = `
    import { writeDurably } from ${JSON.stringify(module)};
    process.on('SIGXFSZ', () => {});
    try { writeDurably(${JSON.stringify(path)}, Buffer.alloc(200_000)); } catch (error) { console.log(error.code); }`;
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', 'ulimit -f 16 && exec "$0" --input-type=module -e "$1"', process.execPath, program],
    { encoding: 'utf8' },
  );
  t.equal(stdout.trim(), 'EFBIG', stderr);
  t.equal(readFileSync(path, 'utf8'), 'old');
  t.same(readdirSync(join(folder, 'room')), ['file']);
});

t.test('a file is for those only that it is meant for, also where a killed writer left a draft for all', async t => {
  const folder = t.testdir({ [`secret.${process.pid}.part`]: 'half' });
  const path = join(folder, 'secret');
  writeDurably(path, 'new', 0o600);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(readFileSync(path, 'utf8'), 'new');
});

t.test('a folder can be synced, what is none is an error', async t => {
  const folder = t.testdir({});
  t.doesNotThrow(() => syncFolder(folder));
  t.throws(() => syncFolder(join(folder, 'none')), { code: 'ENOENT' });
});
