import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundleFolder } from '../../src/bundle/bundle-folder.js';
import { bundleLimits } from '../../src/bundle/manifest.js';
import { sha256 } from '../../src/digest.js';

t.test('a file is read whole, an empty one too, and what is not there is nothing', async t => {
  const parts = bundleFolder(t.testdir({ 'a.bin': 'content', 'b.bin': '' }));
  t.equal(Buffer.from(parts.read('a.bin', 7)!).toString(), 'content');
  t.equal(parts.read('b.bin', 0)!.length, 0);
  t.equal(parts.read('none', 100), undefined);
  t.same(parts.names().sort(), ['a.bin', 'b.bin']);
});

t.test('a file that is only compared has the digest of its bytes, however many pieces it is read in', async t => {
  const long = Buffer.alloc(2 ** 17 + 3, 'long');
  const parts = bundleFolder(t.testdir({ 'a.bin': 'content', 'b.bin': '', 'long.bin': long }));
  t.same(parts.digest('a.bin', 7), { sha256: sha256('content'), bytes: 7 });
  t.same(parts.digest('b.bin', 0), { sha256: sha256(''), bytes: 0 });
  t.same(parts.digest('long.bin', long.length), { sha256: sha256(long), bytes: long.length });
  t.equal(parts.digest('none', 100), undefined);
  t.throws(() => parts.digest('a.bin', 6), { code: 'E_BUNDLE_SIZE', message: /has 7 bytes, more than 6/ });
});

t.test('a folder that is not there has no names and no files', async t => {
  const parts = bundleFolder(join(t.testdir({}), 'none'));
  t.same(parts.names(), []);
  t.equal(parts.read('a', 1), undefined);
});

t.test('a file that stands where the folder should is refused in words', async t => {
  const parts = bundleFolder(join(t.testdir({ file: 'x' }), 'file'));
  t.throws(() => parts.names(), { code: 'E_BUNDLE_MISSING', exit: 'usage' });
  t.throws(() => parts.read('policy.json', 1), { code: 'E_BUNDLE_MISSING', exit: 'usage' });
});

t.test('more bytes than were agreed on are not read, however large the file', async t => {
  const folder = t.testdir({ 'a.bin': 'content', 'huge.bin': '' });
  truncateSync(join(folder, 'huge.bin'), 2 ** 40); // sparse: takes no room
  const parts = bundleFolder(folder);
  t.throws(() => parts.read('a.bin', 6), { code: 'E_BUNDLE_SIZE', message: /has 7 bytes, more than 6/ });
  t.throws(() => parts.read('huge.bin', bundleLimits.fileBytes), { code: 'E_BUNDLE_SIZE', message: /1099511627776/ });
});

t.test('links, folders, pipes and devices are refused, and a pipe that nobody fills keeps nobody waiting', async t => {
  const folder = t.testdir({ 'a.bin': 'content' });
  const path = (name: string) => join(folder, name);
  symlinkSync('a.bin', path('link'));
  symlinkSync('/dev/zero', path('zero'));
  symlinkSync('nowhere', path('dangling'));
  mkdirSync(path('folder'));
  t.equal(spawnSync('mkfifo', [path('pipe')]).status, 0);
  for (const name of ['link', 'zero', 'dangling', 'folder', 'pipe'])
    t.throws(
      () => bundleFolder(folder).read(name, 100),
      { code: 'E_BUNDLE_FILE_KIND', message: new RegExp(`${name} is not a regular file`) },
      name,
    );
  t.throws(() => bundleFolder(folder).digest('pipe', 100), { code: 'E_BUNDLE_FILE_KIND' });
  t.throws(() => bundleFolder('/dev').read('null', 100), { code: 'E_BUNDLE_FILE_KIND' });
});

t.test('a hard link is a file like any other: its bytes are what counts', async t => {
  const folder = t.testdir({ 'a.bin': 'content' });
  linkSync(join(folder, 'a.bin'), join(folder, 'b.bin'));
  t.equal(Buffer.from(bundleFolder(folder).read('b.bin', 7)!).toString(), 'content');
});

t.test('a folder with more files than any bundle has is refused after as many names', async t => {
  const folder = t.testdir({});
  for (let i = 0; i < bundleLimits.files + 2; i++) writeFileSync(join(folder, `${i}`), '');
  t.equal(bundleFolder(folder).names().length, bundleLimits.files + 2);
  writeFileSync(join(folder, 'more'), '');
  t.throws(() => bundleFolder(folder).names(), { code: 'E_BUNDLE_EXTRA', message: /more than 34 files/ });
});
