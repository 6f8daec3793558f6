import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import t from 'tap';
import { Incoming, maxFileBytes } from '../../src/agent/incoming.js';

const folder = t.testdir();
let stores = 0;
const newStore = () => join(folder, `store-${stores++}`);
const nobody = 65_534;
const onPosix = { skip: process.platform === 'win32' ? 'needs permissions of files' : false };
const content = Buffer.from('0123456789');
const digest = sha256(content);
const file = { sha256: digest, bytes: content.length };

t.test('a file is lacking until all of it has come, and goes on where it was', async t => {
  const incoming = new Incoming(newStore());
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 0 }]);
  t.equal(incoming.append(digest, 0, content.subarray(0, 4)), 4);
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 4 }]);
  t.equal(incoming.append(digest, 2, content.subarray(2)), 4, 'what does not begin at its end is no part of it');
  t.equal(incoming.append(digest, 0, content), 4, 'nor what comes a second time');
  t.equal(incoming.append(digest, 4, content.subarray(4)), 10);
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 10 }], 'not verified yet');
  incoming.received(digest);
  t.same(await incoming.lacking([file]), []);
  t.same(readdirSync(incoming.folder), [digest]);
  incoming.received(digest);
  t.equal(readFileSync(incoming.find().get(digest)!, 'utf8'), '0123456789');
});

t.test('what a release holds need not come again, unless it is damaged there', async t => {
  const store = newStore();
  const release = join(store, 'releases', 'a'.repeat(64));
  mkdirSync(release, { recursive: true });
  writeFileSync(join(release, 'policy.onnx'), content);
  const incoming = new Incoming(store);
  t.same(await incoming.lacking([file]), []);
  writeFileSync(join(release, 'policy.onnx'), '012345678X');
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 0 }]);
});

t.test('a file that another deployer brought into a release meanwhile has come', async t => {
  const store = newStore();
  const incoming = new Incoming(store);
  await incoming.lacking([file]);
  incoming.append(digest, 0, content);
  incoming.received(digest);
  const release = join(store, 'releases', 'a');
  mkdirSync(release, { recursive: true });
  writeFileSync(join(release, 'policy.onnx'), content);
  incoming.remove([digest]);
  incoming.received(digest);
  t.same(await incoming.lacking([file]), []);
});

t.test('a file that a loss of power tore under its final name is not taken for whole', async t => {
  const incoming = new Incoming(newStore());
  await incoming.lacking([]);
  writeFileSync(join(incoming.folder, digest), Buffer.alloc(10));
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 0 }]);
});

t.test('what is not what its name says is thrown away', async t => {
  const incoming = new Incoming(newStore());
  await incoming.lacking([file]);
  incoming.append(digest, 0, Buffer.from('another'));
  t.throws(() => incoming.received(digest), { code: 'E_DEPLOY_DIGEST', hint: /deploy again/ });
  t.same(readdirSync(incoming.folder), []);
  t.throws(() => incoming.received(digest), { code: 'E_DEPLOY_LACKING' });
  writeFileSync(join(incoming.folder, `${digest}.part`), Buffer.alloc(11));
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 0 }], 'more than it has can only be wrong');
  t.notOk(existsSync(join(incoming.folder, `${digest}.part`)));
});

t.test('a link is no file', async t => {
  const incoming = new Incoming(newStore());
  await incoming.lacking([]);
  writeFileSync(join(folder, 'elsewhere'), content);
  symlinkSync(join(folder, 'elsewhere'), join(incoming.folder, `${digest}.part`));
  t.throws(() => incoming.received(digest), { code: 'E_DEPLOY_DIGEST' });
  symlinkSync(join(folder, 'elsewhere'), join(incoming.folder, digest));
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 0 }]);
  t.equal(readFileSync(join(folder, 'elsewhere'), 'utf8'), '0123456789', 'what it names is left alone');
});

t.test('nobody fills the disk', async t => {
  const incoming = new Incoming(newStore());
  await t.rejects(incoming.lacking([{ ...file, bytes: maxFileBytes + 1 }]), { code: 'E_DEPLOY_SIZE' });
  await t.rejects(incoming.lacking(Array.from({ length: 65 }, () => file)), { code: 'E_DEPLOY_SIZE', message: /65/ });
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ sha256: sha256(`${i}`), bytes: maxFileBytes }));
  await t.rejects(incoming.lacking(many(3)), { code: 'E_DEPLOY_SIZE', message: /^201326592 bytes are announced/ });
  const small = new Incoming(newStore(), { free: () => 4 * maxFileBytes });
  await t.rejects(small.lacking(many(2)), { code: 'E_DEPLOY_SPACE' });
  await incoming.lacking([file]);
  incoming.append(digest, 0, content.subarray(0, 4));
  t.throws(() => incoming.append(digest, 4, content), { code: 'E_DEPLOY_SIZE', message: /announced with 10 bytes/ });
  t.equal(incoming.length(digest), 4);
});

t.test('where space is short, what others did not go on with gives way', async t => {
  const store = newStore();
  const names = () => readdirSync(join(store, 'incoming')).toSorted();
  let free = 2 ** 30;
  const incoming = new Incoming(store, {
    // As much as lies there is lacking.
    free: () => free - names().length,
  });
  await incoming.lacking([file]);
  const [idle, whole, begun] = ['a', 'b', 'c'].map(text => sha256(text)) as [string, string, string];
  for (const name of [`${idle}.part`, whole, `${begun}.part`, `${digest}.part`])
    writeFileSync(join(incoming.folder, name), 'some');
  const longAgo = new Date(Date.now() - 120_000);
  for (const name of [`${idle}.part`, whole, `${digest}.part`])
    utimesSync(join(incoming.folder, name), longAgo, longAgo);
  const needed = 2 * file.bytes + 16 * 2 ** 20;
  free = needed + 4;
  await incoming.lacking([file]);
  t.equal(names().length, 4, 'there is room');
  free = needed + 3;
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 4 }], 'what is wanted is gone on with');
  t.same(names(), [`${begun}.part`, `${digest}.part`].toSorted(), 'and so may somebody else');
});

t.test('what nobody announced is not taken, and what came already not once more', async t => {
  const incoming = new Incoming(newStore());
  t.throws(() => incoming.append(digest, 0, content), { code: 'E_DEPLOY_UNASKED', message: /never announced/ });
  t.notOk(existsSync(incoming.folder), 'nothing was written');
  await incoming.lacking([file]);
  t.equal(incoming.append(digest, 0, content), 10);
  incoming.received(digest);
  t.equal(
    incoming.append(digest, 0, content.subarray(0, 4)),
    10,
    'who sends the same at the same time hears that it is here',
  );
  t.same(readdirSync(incoming.folder), [digest]);
});

t.test('a disk that would be full with it takes no more of a file, and that is said', async t => {
  let free = 2 ** 30;
  const incoming = new Incoming(newStore(), { free: () => free });
  await incoming.lacking([file]);
  free = 16 * 2 ** 20 + 4;
  t.equal(incoming.append(digest, 0, content.subarray(0, 4)), 4);
  t.throws(() => incoming.append(digest, 4, content.subarray(4)), {
    code: 'E_DEPLOY_SPACE',
    message: /16777220 bytes/,
  });
  t.equal(incoming.length(digest), 4, 'what had come is kept');
});

t.test('a folder that can not be written to is named', async t => {
  writeFileSync(join(folder, 'wall'), '');
  const incoming = new Incoming(join(folder, 'wall', 'store'));
  await t.rejects(incoming.lacking([]), { code: 'E_DEPLOY_TARGET', message: /wall/ });
});

/** An agent's place whose owner's boot is over, with what had come to it. */
function deadPlace(incoming: Incoming, nonce: number, coming: Record<string, string | Buffer>): string {
  const place = join(incoming.folder, `of-1-1-1-00000000-0000-4000-8000-000000000000.${nonce}`);
  mkdirSync(place, { recursive: true });
  for (const [of, bytes] of Object.entries(coming)) writeFileSync(join(place, `${of}.part`), bytes);
  return place;
}

t.test('two who receive apart do not see what the other does, and both succeed', async t => {
  const store = newStore();
  const [one, two] = [new Incoming(store, { apart: true }), new Incoming(store, { apart: true })];
  t.not(one.place, two.place);
  for (const each of [one, two]) t.same(await each.lacking([file]), [{ sha256: digest, from: 0 }]);
  one.append(digest, 0, content.subarray(0, 6));
  t.same(
    await two.lacking([file]),
    [{ sha256: digest, from: 0 }],
    'what is on its way already starts where it was said to',
  );
  two.append(digest, 0, Buffer.from('another'));
  one.append(digest, 6, content.subarray(6));
  one.received(digest);
  t.throws(() => two.received(digest), { code: 'E_DEPLOY_DIGEST' });
  two.append(digest, 0, content);
  two.received(digest);
  t.same(await two.lacking([file]), []);
  for (const each of [one, two]) each.remove([digest]);
  t.same(readdirSync(one.folder), [], 'nor is anything left');
});

t.test('what came to another goes on with a copy, and is left to who may still be at it', async t => {
  const store = newStore();
  const [first, together] = [new Incoming(store, { apart: true }), new Incoming(store)];
  await first.lacking([file]);
  first.append(digest, 0, content.subarray(0, 4));
  writeFileSync(join(together.folder, `${digest}.part`), content.subarray(0, 3));
  const second = new Incoming(store, { apart: true });
  t.same(await second.lacking([file]), [{ sha256: digest, from: 4 }], 'the most that there is');
  second.append(digest, 4, content.subarray(4));
  second.received(digest);
  t.equal(first.length(digest), 4);
  t.equal(together.length(digest), 3);
  second.remove([digest]);
  t.same(await together.lacking([file]), [{ sha256: digest, from: 4 }], 'also where one agent receives for everybody');
});

t.test('what came to one who died goes on, and goes', async t => {
  const incoming = new Incoming(newStore(), { apart: true });
  const other = 'b'.repeat(64);
  const places = [
    deadPlace(incoming, 1, { [digest]: content.subarray(0, 5) }),
    deadPlace(incoming, 2, { [digest]: content.subarray(0, 7), [other]: 'x' }),
    deadPlace(incoming, 3, { [digest]: Buffer.alloc(11) }),
    deadPlace(incoming, 4, {}),
  ];
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 7 }], 'too much can only be wrong');
  t.same(places.filter(existsSync), [places[1]], 'but a file that nobody asked for yet');
  t.same(readdirSync(places[1]!), [`${other}.part`]);
});

t.test(
  'a whole file that came to another is there for all, and with one who died it goes once it is in a release',
  async t => {
    const store = newStore();
    const [one, two] = [new Incoming(store, { apart: true }), new Incoming(store, { apart: true })];
    const place = deadPlace(one, 1, {});
    writeFileSync(join(place, digest), content);
    t.same(await one.lacking([file]), []);
    one.received(digest);
    two.remove([digest]);
    t.notOk(existsSync(place));
    t.same(await two.lacking([file]), [{ sha256: digest, from: 0 }]);
    two.append(digest, 0, content);
    two.received(digest);
    t.same(readdirSync(two.place), [digest], 'it lies where it can be seen whose it is');
    t.same(await one.lacking([file]), []);
    one.remove([digest]);
    t.same(readdirSync(two.place), [digest], 'what one who goes on has received is left to him');
  },
);

t.test('a link in the place of one who died is not followed', async t => {
  const incoming = new Incoming(newStore(), { apart: true });
  const place = deadPlace(incoming, 1, {});
  writeFileSync(join(folder, 'secret'), '0123');
  symlinkSync(join(folder, 'secret'), join(place, `${digest}.part`));
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 0 }]);
  t.notOk(existsSync(place));
  t.equal(readFileSync(join(folder, 'secret'), 'utf8'), '0123');
});

t.test('what another user keeps to himself is as if it were not there', onPosix, async t => {
  const incoming = new Incoming(newStore(), { apart: true });
  const unreadable = deadPlace(incoming, 1, { [digest]: content.subarray(0, 5) });
  const closed = deadPlace(incoming, 2, { [digest]: content.subarray(0, 5) });
  writeFileSync(join(incoming.folder, digest), content, { mode: 0 });
  chmodSync(join(unreadable, `${digest}.part`), 0);
  chmodSync(unreadable, 0o500);
  chmodSync(closed, 0);
  // Root may read everything.
  const root = process.getuid!() === 0;
  if (root) {
    for (const path of [incoming.folder, unreadable, closed]) chownSync(path, nobody, nobody);
    process.seteuid!(nobody);
  }
  t.teardown(() => {
    if (root) process.seteuid!(0);
    for (const path of [unreadable, closed]) chmodSync(path, 0o700);
  });
  t.same(await incoming.lacking([file]), [{ sha256: digest, from: 0 }]);
  incoming.append(digest, 0, content);
  incoming.received(digest);
  t.same(await incoming.lacking([file]), []);
  t.ok(existsSync(unreadable) && existsSync(closed));
});

t.test('what is in a release goes', async t => {
  const incoming = new Incoming(newStore());
  await incoming.lacking([file]);
  incoming.append(digest, 0, content);
  incoming.received(digest);
  incoming.remove([digest]);
  t.same(readdirSync(incoming.folder), []);
});
