import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { loadWithOwnKeys, signBundle } from '../../src/keys/sign-bundle.js';
import { policyCopy, putKey, useKeyFolder } from './key-folder.js';

t.test('a bundle is signed newer each time, and a robot that trusts the key takes it', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const { key, id, line } = await putKey(folder, 'desk');
  const policy = policyCopy(join(folder, '..'));
  const first = signBundle(policy, { name: 'desk', key }, 1000);
  t.match(first, { bundle: policy, digest: loadBundle(policy).digest, key: 'desk', keyId: id, sequence: 1000 });
  t.equal(readFileSync(join(folder, 'desk.sequence'), 'utf8'), '1000\n');
  t.equal(signBundle(policy, { name: 'desk', key }, 999).sequence, 1001, 'also where the clock was set back');
  t.same(loadBundle(policy, { trustedKeys: [line] }).signature, { keyId: id, sequence: 1001 });
});

t.test('a bundle that is not whole is not signed, and no sequence is spent on it', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const { key } = await putKey(folder, 'desk');
  const policy = policyCopy(join(folder, '..'));
  writeFileSync(join(policy, 'golden.json'), '{}');
  t.throws(() => signBundle(policy, { name: 'desk', key }), { code: 'E_BUNDLE_DIGEST' });
  t.throws(() => readFileSync(join(policy, 'policy.json.minisig')), { code: 'ENOENT' });
  t.throws(() => readFileSync(join(folder, 'desk.sequence')), { code: 'ENOENT' });
});

t.test('where the signature cannot be written, the error says so', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const { key } = await putKey(folder, 'desk');
  const policy = policyCopy(join(folder, '..'));
  mkdirSync(join(policy, 'policy.json.minisig', 'x'), { recursive: true });
  t.throws(() => signBundle(policy, { name: 'desk', key }), { code: 'E_SIGNATURE_WRITE', message: /minisig/ });
});

t.test('one’s own keys tell who has signed a bundle, and that it was', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const { key, id } = await putKey(folder, 'desk');
  const policy = policyCopy(join(folder, '..'));
  t.equal(loadWithOwnKeys(policy).signedBy, undefined);
  signBundle(policy, { name: 'desk', key }, 5);
  const known = loadWithOwnKeys(policy);
  t.same(known.signedBy, { keyId: id, name: 'desk' });
  t.same(known.bundle.signature, { keyId: id, sequence: 5 });
  const path = join(policy, 'policy.json.minisig');
  const signature = readFileSync(path, 'utf8');
  writeFileSync(path, signature.replace('sequence:5', 'sequence:6'));
  t.throws(() => loadWithOwnKeys(policy), { code: 'E_SIGNATURE_COMMENT' }, 'a forgery is told by a key that is here');
  rmSync(join(folder, 'desk.pub'));
  const unknown = loadWithOwnKeys(policy);
  t.same(unknown.signedBy, { keyId: id }, 'without the key it is a claim, and called one');
  t.equal(unknown.bundle.signature, undefined);
});

if (spawnSync('minisign', ['-v']).status === 0)
  t.test('what minisign has signed in place is known, too, and it verifies what is signed here', async t => {
    const folder = useKeyFolder(t);
    mkdirSync(folder);
    const { key, id } = await putKey(folder, 'desk');
    const policy = policyCopy(join(folder, '..'));
    const minisign = (...args: string[]) => {
      const { status, stderr } = spawnSync('minisign', [...args, '-m', join(policy, 'policy.json')], {
        encoding: 'utf8',
        input: '',
      });
      t.equal(status, 0, stderr);
    };
    minisign('-S', '-s', join(folder, 'desk.key'));
    t.same(loadWithOwnKeys(policy).signedBy, { keyId: id, name: 'desk' });
    signBundle(policy, { name: 'desk', key });
    minisign('-V', '-p', join(folder, 'desk.pub'));
  });
