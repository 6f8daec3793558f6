import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { generateSecretKey } from '@sim2servo/models/bundle/minisign-secret-key';
import t from 'tap';
import {
  checkNewName,
  keyNames,
  keysFolder,
  listKeys,
  readKeyFile,
  readPublicKey,
  readSecretKeyFile,
  takeSequence,
  writeKey,
} from '../../src/keys/key-ring.js';
import { putKey, useKeyFolder } from './key-folder.js';

t.test('keys lie in the person’s own folder, or in the one that KIT_KEYS names', async t => {
  const folder = useKeyFolder(t);
  t.equal(keysFolder(), folder);
  process.env.KIT_KEYS = '';
  t.equal(keysFolder(), join(homedir(), '.config', 'sim2servo', 'keys'));
});

t.test('a new key is for nobody else, and neither is its folder', async t => {
  const folder = useKeyFolder(t);
  t.same(keyNames(), [], 'there need not be a folder');
  const key = generateSecretKey();
  await writeKey('desk', key, undefined);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  t.equal(statSync(join(folder, 'desk.key')).mode & 0o777, 0o600);
  t.same(readPublicKey('desk').id, key.publicKey.id);
  t.match(readSecretKeyFile('desk'), /^untrusted comment: minisign secret key, not encrypted\nRW/);
  t.same(readdirSync(folder).sort(), ['desk.key', 'desk.pub'], 'and no draft is left');
});

t.test('a key is never replaced', async t => {
  const folder = useKeyFolder(t);
  const key = generateSecretKey();
  await writeKey('desk', key, undefined);
  await t.rejects(writeKey('desk', generateSecretKey(), undefined), { code: 'E_KEY_EXISTS', exit: 'usage' });
  t.equal(readPublicKey('desk').id, key.publicKey.id);
  writeFileSync(join(folder, 'lab.sequence'), '5\n');
  t.throws(() => checkNewName('lab'), { code: 'E_KEY_EXISTS' }, 'nor may one go on where another has counted');
});

t.test('a name is a plain word: it becomes a file', async t => {
  useKeyFolder(t);
  for (const name of ['', '../x', 'a/b', '.x', '-x', 'a b', 'a.b', '1', 'a'.repeat(61)])
    t.throws(() => checkNewName(name), { code: 'E_KEY_NAME', exit: 'usage' }, name);
  for (const name of ['a', 'desk-2', 'My_Key', 'a'.repeat(60)]) t.doesNotThrow(() => checkNewName(name), name);
});

t.test('a secret key that others may read or change is refused, and with how to mend it', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  await putKey(folder, 'desk');
  const path = join(folder, 'desk.key');
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610]) {
    chmodSync(path, mode);
    t.throws(() => readSecretKeyFile('desk'), {
      code: 'E_KEY_EXPOSED',
      exit: 'usage',
      message: new RegExp(`its mode is ${mode.toString(8)}`),
      hint: /chmod 600 .*desk\.key/,
    });
  }
  for (const mode of [0o600, 0o400]) {
    chmodSync(path, mode);
    t.doesNotThrow(() => readSecretKeyFile('desk'));
  }
});

t.test('the list says of each key what is known of it', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const [open, sealed, exposed, theirs] = [
    await putKey(folder, 'open'),
    await putKey(folder, 'sealed', 'x'),
    await putKey(folder, 'exposed'),
    await putKey(folder, 'theirs'),
  ];
  chmodSync(join(folder, 'exposed.key'), 0o644);
  chmodSync(join(folder, 'theirs.key'), 0o600);
  writeFileSync(join(folder, 'notes.txt'), '');
  rmSync(join(folder, 'theirs.key'));
  takeSequence('sealed', 41);
  t.same(listKeys(), [
    { name: 'exposed', id: exposed.id, secret: 'open to others' },
    { name: 'open', id: open.id, secret: 'not encrypted' },
    { name: 'sealed', id: sealed.id, secret: 'encrypted', sequence: 41 },
    { name: 'theirs', id: theirs.id },
  ]);
});

t.test('a key that is not there is an error that says which are', async t => {
  const folder = useKeyFolder(t);
  t.throws(() => readPublicKey('desk'), { code: 'E_KEY_UNKNOWN', hint: /kit keys new desk/ });
  mkdirSync(folder);
  await putKey(folder, 'lab');
  for (const read of [readPublicKey, readSecretKeyFile])
    t.throws(() => read('desk'), { code: 'E_KEY_UNKNOWN', exit: 'usage', hint: /take one of: lab/ });
});

t.test('what is too large for a key is not read', async t => {
  const folder = t.testdir({ large: 'x'.repeat(4097), fits: 'x'.repeat(4096) });
  t.throws(() => readKeyFile(join(folder, 'large')), { code: 'E_KEY_READ', message: /4097 bytes/ });
  t.equal(readKeyFile(join(folder, 'fits')).length, 4096);
  t.throws(() => readKeyFile(folder), { code: 'E_KEY_READ' });
});

t.test('a sequence is on the disk before it is used, and only ever rises', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const path = join(folder, 'desk.sequence');
  t.equal(takeSequence('desk', 1000), 1000);
  t.equal(readFileSync(path, 'utf8'), '1000\n');
  t.equal(takeSequence('desk', 1000), 1001);
  t.equal(takeSequence('desk', 5), 1002, 'the clock was set back');
  t.equal(takeSequence('desk', 2000), 2000);
  t.equal(takeSequence('lab', 7), 7, 'each key counts for itself');
  for (const text of ['', 'x', '12', '-1\n', '1e9\n', '99999999999999999\n']) {
    writeFileSync(path, text);
    t.throws(() => takeSequence('desk', 3000), { code: 'E_KEY_SEQUENCE', hint: /kit inspect/ }, JSON.stringify(text));
    t.equal(readFileSync(path, 'utf8'), text, 'and is left for a person to see');
  }
  t.notOk(existsSync(`${path}.${process.pid}.part`));
});

/** @returns a process that waits for a word to begin */
async function taker(name: string, count: number | 'hold') {
  const program = fileURLToPath(new URL('take-sequences.js', import.meta.url));
  const child = spawn(process.execPath, [program, name, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

t.test('of several processes that sign at once each gets numbers of its own', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const each = 100;
  const takers = [await taker('desk', each), await taker('desk', each)];
  const told = takers.map(({ stdout }) => text(stdout));
  for (const { stdin } of takers) stdin.write('go');
  const taken: number[][] = (await Promise.all(told)).map(words => JSON.parse(words));
  const inOrder = Array.from({ length: takers.length * each }, (_, i) => i + 1);
  t.same(
    taken.flat().sort((a, b) => a - b),
    inOrder,
  );
  t.same(readdirSync(folder), ['desk.sequence'], 'and no lock is left');
});

t.test('who is in the middle for too long is named, and once killed holds nobody up', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const holder = await taker('desk', 'hold');
  holder.stdin.write('go');
  await once(holder.stdout, 'data');
  t.same(readdirSync(folder), ['desk.lock']);
  const { now } = performance;
  t.teardown(() => {
    performance.now = now;
  });
  let elapsedMs = 0;
  performance.now = () => (elapsedMs += 30_000);
  const busy = { code: 'E_KEY_SEQUENCE', message: `(process ${holder.pid})`, hint: /wait until it is done/ };
  t.throws(() => takeSequence('desk', 7), busy);
  performance.now = now;
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  t.equal(takeSequence('desk', 7), 7);
  t.same(readdirSync(folder), ['desk.sequence']);
});
