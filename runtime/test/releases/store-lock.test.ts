import { lstatSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { realDisk } from '../../src/releases/disk.js';
import { thisOwner } from '../../src/releases/owner.js';
import { StoreLock } from '../../src/releases/store-lock.js';
import { killed, startBeside } from '../support/other-process.js';

const newStore = (t: { testdir(): string }) => ({ folder: t.testdir(), disk: realDisk });
const dead = (who: string) =>
  JSON.stringify({ ...thisOwner(), boot: '00000000-0000-4000-8000-000000000000', who, nonce: who });

t.test('one has it, the second is told who, and after its release the next one gets it', async t => {
  const store = newStore(t);
  const first = StoreLock.take(store, 'ann@desk');
  t.ok(StoreLock.isTaken(store.folder));
  t.throws(() => StoreLock.take(store, 'bob@desk'), {
    code: 'E_DEPLOY_BUSY',
    message: new RegExp(`^ann@desk \\(process ${process.pid}\\) has been at ${store.folder} for \\d+ s$`),
    hint: /wait until it is done/,
  });
  first.release();
  t.notOk(StoreLock.isTaken(store.folder));
  StoreLock.take(store, 'bob@desk').release();
  t.same(readdirSync(store.folder), []);
});

t.test('the lock and its owner are there in one step: it is a link', async t => {
  const store = newStore(t);
  const lock = StoreLock.take(store, 'x'.repeat(5000));
  t.ok(lstatSync(join(store.folder, 'lock')).isSymbolicLink());
  t.equal(JSON.parse(readlinkSync(join(store.folder, 'lock'))).who.length, 200);
  lock.release();
});

t.test('a dead owner is succeeded, and so is a successor that died at it; all go with the release', async t => {
  const store = newStore(t);
  const first = dead('first');
  symlinkSync(first, join(store.folder, 'lock'));
  const second = StoreLock.take(store, 'second');
  const names = readdirSync(store.folder).sort();
  t.equal(names.length, 2);
  t.match(names[1], /^lock\.[0-9a-f]{16}$/);
  t.throws(() => StoreLock.take(store, 'third'), { message: /^second / });
  second.release();
  t.same(readdirSync(store.folder), []);

  symlinkSync(first, join(store.folder, 'lock'));
  symlinkSync(dead('died at it'), join(store.folder, names[1]!));
  symlinkSync(dead('of another chain'), join(store.folder, 'lock.0123456789abcdef'));
  const third = StoreLock.take(store, 'third');
  t.equal(readdirSync(store.folder).length, 3);
  t.notOk(readdirSync(store.folder).includes('lock.0123456789abcdef'), 'what belongs to no chain goes');
  third.release();
  t.same(readdirSync(store.folder), []);
});

t.test('who begins at a chain that was released meanwhile begins anew', async t => {
  const folder = t.testdir();
  symlinkSync(dead('first'), join(folder, 'lock'));
  let raced = false;
  const store = {
    folder,
    disk: {
      ...realDisk,
      link(target: string, path: string) {
        if (!raced) {
          raced = true;
          // Another one was faster: it had the lock, and has released it again.
          StoreLock.take({ folder, disk: realDisk }, 'faster').release();
        }
        realDisk.link(target, path);
      },
    },
  };
  const lock = StoreLock.take(store, 'slower');
  t.same(readdirSync(folder), ['lock'], 'the successor of what is no more was given up');
  lock.release();
});

t.test('and who was overtaken by one that still has it is told so', async t => {
  const folder = t.testdir();
  symlinkSync(dead('first'), join(folder, 'lock'));
  let faster: StoreLock | undefined;
  const disk = {
    ...realDisk,
    link(target: string, path: string) {
      faster ??= StoreLock.take({ folder, disk: realDisk }, 'faster');
      realDisk.link(target, path);
    },
  };
  t.throws(() => StoreLock.take({ folder, disk }, 'slower'), { code: 'E_DEPLOY_BUSY', message: /^faster / });
  faster!.release();
  t.same(readdirSync(folder), []);
});

t.test('a lock of a killed process is taken over, that of a living one is not', async t => {
  const store = { folder: join(t.testdir(), 'store'), disk: realDisk };
  const child = await startBeside('hold-lock.js', store.folder, 'a'.repeat(64));
  t.throws(() => StoreLock.take(store, 'ann'), { code: 'E_DEPLOY_BUSY', message: `bob@desk (process ${child.pid})` });
  await killed(child);
  StoreLock.take(store, 'ann').release();
});

t.test('changes of the state wait for each other, and one that fails opens the lock again', async t => {
  const store = newStore(t);
  t.throws(() => StoreLock.whileChanging(store, () => StoreLock.whileChanging(store, () => {}, { patienceMs: 20 })), {
    code: 'E_DEPLOY_BUSY',
    message: /a change of the state/,
  });
  t.equal(
    StoreLock.whileChanging(store, () => 7),
    7,
  );
  const lock = StoreLock.take(store, 'ann');
  t.equal(
    StoreLock.whileChanging(store, () => StoreLock.whileChanging(store, () => 8, { name: 'other.lock' })),
    8,
    'a deployer holds another lock, and so does what has another name',
  );
  lock.release();
  t.same(readdirSync(store.folder), []);
});

t.test('a deployer that holds the lock while its clock jumps keeps it', async t => {
  const store = newStore(t);
  const { now } = Date;
  const lock = StoreLock.take(store, 'ann');
  for (const years of [-30, 30]) {
    Date.now = () => now() + years * 365.25 * 86400e3;
    t.throws(() => StoreLock.take(store, 'bob'), { code: 'E_DEPLOY_BUSY', message: /for [0-9] s/ });
  }
  Date.now = now;
  lock.release();
});

t.test('where the disk takes no lock it is said why, and what to do, and not what would have stood in it', t => {
  const { folder } = newStore(t);
  const refusing = (code: string, words: string) => ({
    folder,
    disk: {
      ...realDisk,
      link(target: string, path: string) {
        const error = new Error(`${code}: ${words}, symlink '${target}' -> '${path}'`);
        throw Object.assign(error, { code, syscall: 'symlink' });
      },
    },
  });
  const full = refusing('ENOSPC', 'no space left on device');
  for (const take of [() => StoreLock.take(full, 'ann'), () => StoreLock.whileChanging(full, () => {})])
    t.throws(take, {
      code: 'E_DEPLOY_TARGET',
      message: new RegExp(`^nothing can be written into ${folder}: ENOSPC: no space left on device$`),
      hint: /^free some space on that disk: logs/,
    });
  t.throws(() => StoreLock.take(refusing('EROFS', 'read-only file system'), 'ann'), {
    message: /: EROFS: read-only file system$/,
    hint: /file system can only be read: dmesg/,
  });
  t.end();
});

t.test('a lock that the disk does not let go is released all the same, and goes with the next', async t => {
  const { folder } = newStore(t);
  const disk = {
    ...realDisk,
    remove() {
      throw new Error('EROFS');
    },
  };
  StoreLock.take({ folder, disk }, 'ann').release();
  t.same(readdirSync(folder), ['lock']);
  StoreLock.take({ folder, disk: realDisk }, 'bob').release();
  t.same(readdirSync(folder), []);
});
