import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import t from 'tap';
import { freeBytes, Incoming, maxFileBytes } from '../../src/agent/incoming.js';

const folder = t.testdir();
let stores = 0;
const newStore = () => join(folder, `store-${stores++}`);
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
  t.equal(readFileSync(incoming.find([digest]).get(digest)!, 'utf8'), '0123456789');
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
  incoming.append(digest, 0, Buffer.from('something else'));
  t.throws(() => incoming.received(digest), { code: 'E_DEPLOY_DIGEST', hint: /deploy again/ });
  t.same(readdirSync(incoming.folder), []);
  t.throws(() => incoming.received(digest), { code: 'E_DEPLOY_LACKING' });
  incoming.append(digest, 0, Buffer.alloc(11));
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
  const free = await freeBytes(folder);
  const many = Array.from({ length: 64 }, (_, i) => ({ sha256: sha256(String(i)), bytes: maxFileBytes }));
  if (free < 64 * maxFileBytes) await t.rejects(incoming.lacking(many), { code: 'E_DEPLOY_SPACE' });
  t.throws(() => incoming.append(digest, 0, Buffer.alloc(maxFileBytes + 1)), { code: 'E_DEPLOY_SIZE' });
});

t.test('a folder that can not be written to is named', async t => {
  writeFileSync(join(folder, 'wall'), '');
  const incoming = new Incoming(join(folder, 'wall', 'store'));
  await t.rejects(incoming.lacking([]), { code: 'E_DEPLOY_TARGET', message: /wall/ });
  t.throws(() => incoming.append(digest, 0, content), { code: 'E_DEPLOY_TARGET' });
});

t.test('one draft at a time, and what is in a release goes', async t => {
  const incoming = new Incoming(newStore());
  const draft = incoming.makeDraft();
  writeFileSync(join(draft, 'policy.json'), '');
  t.equal(incoming.makeDraft(), draft);
  t.same(readdirSync(draft), [], 'of the one before nothing is left');
  incoming.removeDraft();
  incoming.append(digest, 0, content);
  incoming.received(digest);
  incoming.remove([digest]);
  t.same(readdirSync(incoming.folder), []);
});
