/** What a disk refuses: full or read-only at any one operation, or from it on. The store is as it was then, and the next deployment succeeds. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t, { type Test } from 'tap';
import { deployToFolder } from '../../src/releases/deploy-to-folder.js';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import { openStore } from '../../src/releases/release-store.js';
import { writeBundles } from '../support/deployment-courses.js';
import { deployGood } from '../support/good-policy.js';
import { quickFolder } from '../support/quick-folder.js';
import { unsyncedDisk } from '../support/recording-disk.js';
import { viewOf } from '../support/store-after-restart.js';

const folder = quickFolder(t);
const [a = '', b = ''] = writeBundles(folder, 2);
const next = loadBundle(b).digest;

/** Refuses operation `at`, and all that come after it if it is not to come back; half of a file is written by then. */
function failingDisk(code: string, at: number, comesBack: boolean): { disk: Disk; failed: () => boolean } {
  let done = 0;
  let failed = false;
  const disk = new Proxy(unsyncedDisk, {
    get: (real, name: keyof Disk) => (first: string, second: never) => {
      done++;
      if (done < at || (done > at && comesBack)) return real[name](first, second);
      failed = true;
      if (name === 'write' || name === 'append') real[name](first, (second as Buffer).subarray(0, 7) as never);
      throw Object.assign(new Error(`${code}: the disk takes nothing, ${name} '${first}'`), { code, syscall: name });
    },
  });
  return { disk, failed: () => failed };
}

for (const [code, comesBack] of [
  ['ENOSPC', true],
  ['ENOSPC', false],
  ['EROFS', false],
  ['EIO', true],
] as const)
  t.test(
    `${code} at any operation${comesBack ? '' : ' and from then on'}: old or new, and the next one succeeds`,
    async t => {
      let at = 1;
      for (let failing = true; failing; at++) {
        const store = join(folder, `${code}-${comesBack}-${at}`);
        const old = await deployGood(a, store);
        const { disk, failed } = failingDisk(code, at, comesBack);
        try {
          await deployToFolder(b, store, {}, disk);
        } catch (error) {
          t.match(error, { message: new RegExp(code) });
        }
        failing = failed();
        const opened = openStore(store);
        const { policies, releases } = viewOf(opened);
        const { current, trial } = JSON.parse(policies);
        t.equal(current, old, `${at}: ${policies}`);
        t.ok(trial === undefined || trial.digest === next);
        t.ok(releases.every(name => /^[0-9a-f]{64}$/.test(name)));
        await deployToFolder(b, store);
        t.equal(opened.state().trial?.digest, next);
        t.same(readdirSync(store).sort(), [
          'current',
          'history.jsonl',
          'incoming',
          'records',
          'releases',
          'state.json',
        ]);
      }
      t.ok(at > 25, `${at} operations`);
    },
  );

t.test('the one who deploys is told what the disk said, and what to do', async t => {
  const store = join(folder, 'told');
  await deployGood(a, store);
  await t.rejects(deployToFolder(b, store, {}, failingDisk('ENOSPC', 3, false).disk), {
    code: 'E_DEPLOY_TARGET',
    message: /can't deploy into .*told: ENOSPC/,
    hint: /free some space/,
  });
});

const needsNamespace = { skip: process.platform !== 'linux' && 'needs a user namespace' };

/** What opening `store` comes to once `mount` has been run, in a namespace of its own: root may write anywhere, but for what the disk refuses. */
function openedAfter(t: Test, mount: string, store: string): string | undefined {
  const program = new URL('../../src/releases/release-store.js', import.meta.url).pathname;
  const code = `import(${JSON.stringify(program)}).then(({ openStore }) => openStore(${JSON.stringify(store)})).catch(error => console.log(error.code, error.message, error.hint))`;
  const script = `${mount} && echo mounted && exec '${process.execPath}' -e '${code}'`;
  const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' });
  const [mounted, said] = stdout.split('\n');
  if (mounted === 'mounted') return said!;
  t.comment(`nothing can be mounted here: ${stderr}`);
  return undefined;
}

t.test('a folder that may not be written to is no place for a store', needsNamespace, async t => {
  const store = join(folder, 'read-only');
  await deployGood(a, store);
  const said = openedAfter(t, `mount --bind '${store}' '${store}' && mount -o remount,bind,ro '${store}'`, store);
  if (said !== undefined) t.match(said, /^E_DEPLOY_TARGET can't deploy into .*read-only: EROFS/);
});

t.test('on a disk that is full in truth nothing begins, and what to free is said', needsNamespace, async t => {
  const disk = join(folder, 'full');
  mkdirSync(disk);
  // One inode for the disk itself, one for the store: none is left for its lock.
  const said = openedAfter(t, `mount -t tmpfs -o nr_inodes=2 none '${disk}' && mkdir '${disk}/store'`, `${disk}/store`);
  if (said !== undefined)
    t.match(
      said,
      /^E_DEPLOY_TARGET nothing can be written into \S+full\/store: ENOSPC: no space left on device free some space on that disk: logs/,
    );
});

t.test('what the seam says of each operation holds on the real disk', async t => {
  const at = (name: string) => join(t.testdirName, name);
  t.testdir();
  realDisk.makeFolder(at('folder'));
  t.throws(() => realDisk.makeFolder(at('none/below')), { code: 'ENOENT' });
  realDisk.write(at('file'), Buffer.from('one'));
  t.throws(() => realDisk.write(at('file'), Buffer.from('two')), { code: 'EEXIST' });
  realDisk.append(at('file'), Buffer.from(' more'));
  realDisk.append(at('new'), Buffer.from('made'));
  realDisk.sync(at('file'));
  realDisk.sync(at('folder'));
  t.equal(readFileSync(at('file'), 'utf8'), 'one more');
  t.equal(readFileSync(at('new'), 'utf8'), 'made');
  realDisk.link('file', at('link'));
  t.throws(() => realDisk.link('new', at('link')), { code: 'EEXIST' });
  t.equal(readlinkSync(at('link')), 'file');
  realDisk.rename(at('link'), at('folder/link'));
  mkdirSync(at('folder/deep'));
  writeFileSync(at('folder/deep/file'), '');
  realDisk.remove(at('folder'));
  realDisk.remove(at('nowhere'));
  t.same(readdirSync(t.testdirName).sort(), ['file', 'new']);
});
