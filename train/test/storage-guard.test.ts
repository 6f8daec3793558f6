import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { StorageGuard } from '../src/storage-guard.js';

t.test('what cannot be written is said once, tried again, and forgotten when it is saved', async t => {
  const folder = t.testdir();
  const warnings: string[] = [];
  const guard = new StorageGuard(warning => warnings.push(warning));
  const absent = join(folder, 'absent', 'file');
  for (let i = 0; i < 3; i++) guard.save('the checkpoint', () => writeFileSync(absent, 'x'));
  t.equal(warnings.length, 1);
  t.match(warnings[0], /^can't save the checkpoint: ENOENT.*absent.*; training goes on/);
  t.same(guard.unsaved, ['the checkpoint']);
  guard.save('the checkpoint', () => writeFileSync(join(folder, 'file'), 'x'));
  t.same(guard.unsaved, []);
});

t.test('a full disk', { skip: process.platform !== 'linux' && 'needs /dev/full' }, async t => {
  const warnings: string[] = [];
  const guard = new StorageGuard(warning => warnings.push(warning));
  guard.save('the metrics', () => writeFileSync('/dev/full', 'x'));
  t.match(warnings, [/ENOSPC/]);
});

t.test('a mistake of ours is no full disk', async t => {
  const guard = new StorageGuard(() => t.fail('no warning'));
  t.throws(() =>
    guard.save('the checkpoint', () => {
      throw new TypeError('mine');
    }),
  );
});
