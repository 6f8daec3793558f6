import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { fileInTar, type TarFile, writeTar } from '../../src/provision/tar.js';

const file = (path: string, text: string, executable = false): TarFile => ({
  path,
  content: Buffer.from(text),
  executable,
});
const archive = (files: readonly TarFile[]) => Buffer.concat([...writeTar(files)]);

t.test('the header is the one that POSIX describes', async t => {
  const bytes = archive([file('a/b', 'hello', true)]);
  t.equal(bytes.length, 512 + 512 + 1024, 'header, one block, the end');
  t.equal(bytes.toString('latin1', 0, 4), 'a/b\0');
  t.equal(bytes.toString('latin1', 100, 108), '0000755\0');
  t.equal(bytes.toString('latin1', 124, 136), '00000000005\0');
  t.equal(bytes.toString('latin1', 257, 265), 'ustar\x0000');
  // The sum over the header with blanks in its own place, in octal, then a zero and a blank.
  const header = Buffer.from(bytes.subarray(0, 512)).fill(' ', 148, 156);
  t.equal(
    bytes.toString('latin1', 148, 156),
    `${header
      .reduce((a, b) => a + b)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
});

t.test('the same files make the same bytes: neither user nor clock is in it', async t => {
  const files = [file('a', '1'), file('b', '2', true)];
  t.same(archive(files), archive(files));
  t.equal(archive(files).toString('latin1', 136, 148), '00000000000\0', 'of the year 1970');
});

t.test('what is written is found again, whatever its size', async _t => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 1600 }), { maxLength: 6 }), contents => {
      const files = contents.map((content, i) => ({
        path: `f/${i}`,
        content: Buffer.from(content),
        executable: false,
      }));
      const bytes = archive(files);
      return (
        bytes.length % 512 === 0 &&
        files.every(({ path, content }) => fileInTar(bytes, path)?.equals(content) === true) &&
        fileInTar(bytes, 'f/none') === undefined
      );
    }),
  );
});

t.test("the system's tar unpacks it, with modes", async t => {
  const folder = t.testdir({});
  mkdirSync(join(folder, 'out'));
  const files = [file('bin/run', '#!/bin/sh\n', true), file('lib/empty', ''), file('lib/block', 'x'.repeat(512))];
  const { status, stderr } = spawnSync('tar', ['-xf', '-', '-C', join(folder, 'out')], { input: archive(files) });
  t.equal(status, 0, String(stderr));
  for (const { path, content, executable } of files) {
    t.same(readFileSync(join(folder, 'out', path)), content);
    t.equal((statSync(join(folder, 'out', path)).mode & 0o100) !== 0, executable, path);
  }
});

t.test("an archive of the system's tar is read", async t => {
  const folder = t.testdir({ package: { bin: { node: 'a node' }, 'README.md': 'x'.repeat(2000) } });
  const { stdout } = spawnSync('tar', ['--format=ustar', '-cf', '-', '-C', folder, 'package'], { maxBuffer: 2 ** 24 });
  t.equal(fileInTar(stdout, 'package/bin/node')?.toString(), 'a node');
  t.equal(fileInTar(stdout, 'package/README.md')?.length, 2000);
});

t.test('a name that does not fit and an archive that is damaged are errors', async t => {
  t.throws(() => archive([file('x'.repeat(101), '')]), { code: 'E_TAR_NAME' });
  const bytes = archive([file('a', '1'), file('b', '2')]);
  bytes.write('zzz', 124);
  t.throws(() => fileInTar(bytes, 'b'), { code: 'E_TAR' });
});
