import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parsePublicKey } from '@sim2servo/models/bundle/minisign-public-key';
import type { Trust } from '@sim2servo/models/bundle/trust';
import { sha256 } from '@sim2servo/models/digest';
import t from 'tap';
import { runtimeManifestSchema, verifyRuntime } from '../../src/robot/runtime-manifest.js';
import { manifestOf } from '../support/runtime-manifest.js';

const nobody: Trust = { trustedKeys: [], revokedKeys: [] };
const content = { 'bin/node': 'a program', 'lib/a.js': 'some code', 'node_modules/@x/y/z.node': '' };

function release(manifest: unknown = manifestOf(content)): string {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(content)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  writeFileSync(join(folder, 'runtime.json'), JSON.stringify(manifest));
  return folder;
}

/** A minisign key, and what signs with it. */
function signer() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const id = Buffer.from('0123456789abcdef', 'hex');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    key: Buffer.concat([Buffer.from('Ed'), id, raw]).toString('base64'),
    sign(message: Buffer): string {
      const made = sign(null, createHash('blake2b512').update(message).digest(), privateKey);
      const comment = 'timestamp:1';
      const global = sign(null, Buffer.concat([made, Buffer.from(comment)]), privateKey);
      const line = Buffer.concat([Buffer.from('ED'), id, made]).toString('base64');
      return `untrusted comment: test\n${line}\ntrusted comment: ${comment}\n${global.toString('base64')}\n`;
    },
  };
}

t.test('a release that is what its manifest says is named by the manifest', async t => {
  const folder = release();
  const text = JSON.stringify(manifestOf(content));
  t.match(verifyRuntime(folder, nobody), { digest: sha256(text), files: 3, bytes: text.length + 18 });
});

t.test('a file that was changed, grew, is missing, is a link or does not belong is refused by name', async t => {
  for (const [what, spoil] of [
    ['lib/a.js', (folder: string) => writeFileSync(join(folder, 'lib/a.js'), 'some rode')],
    ['lib/a.js', (folder: string) => writeFileSync(join(folder, 'lib/a.js'), 'some code, and more')],
    ['bin/node', (folder: string) => rmSync(join(folder, 'bin/node'))],
    [
      'lib/a.js',
      (folder: string) => {
        rmSync(join(folder, 'lib/a.js'));
        writeFileSync(join(folder, '../elsewhere.js'), 'some code');
        symlinkSync('../../elsewhere.js', join(folder, 'lib/a.js'));
      },
    ],
    ['lib/b.js', (folder: string) => writeFileSync(join(folder, 'lib/b.js'), 'a stranger')],
  ] as const) {
    const folder = release();
    spoil(folder);
    t.throws(() => verifyRuntime(folder, nobody), { code: 'E_RUNTIME_FILE', message: new RegExp(what) });
  }
});

t.test('what is no release is called so', async t => {
  const folder = release();
  rmSync(join(folder, 'runtime.json'));
  t.throws(() => verifyRuntime(folder, nobody), { code: 'E_RUNTIME_MISSING', hint: /provision/ });
});

t.test('paths that lead out, are absolute, hidden or empty are no paths of a release', async t => {
  for (const path of [
    '../x',
    'lib/../../x',
    '/etc/passwd',
    'lib//a',
    './a',
    '.hidden',
    'lib/',
    'a\\b',
    'a b',
    '',
    'lib/.',
  ]) {
    const manifest = { ...manifestOf({}), files: { [path]: { sha256: 'a'.repeat(64), bytes: 0, executable: false } } };
    t.notOk(runtimeManifestSchema.safeParse(manifest).success, `'${path}'`);
    t.throws(() => verifyRuntime(release(manifest), nobody), { code: /E_FILE_SCHEMA|E_RUNTIME_FILE/ });
  }
});

t.test('a robot with trusted keys wants the signature of one of them, over this manifest', async t => {
  const [ours, theirs] = [signer(), signer()];
  const trust: Trust = { ...nobody, trustedKeys: [ours.key] };
  const folder = release();
  const manifest = Buffer.from(JSON.stringify(manifestOf(content)));
  t.throws(() => verifyRuntime(folder, trust), { code: 'E_RUNTIME_UNSIGNED' });
  writeFileSync(join(folder, 'runtime.json.minisig'), ours.sign(manifest));
  t.match(verifyRuntime(folder, trust), { digest: sha256(manifest) });
  writeFileSync(join(folder, 'runtime.json.minisig'), theirs.sign(manifest));
  t.throws(() => verifyRuntime(folder, trust), { code: 'E_SIGNATURE_WRONG' });
  writeFileSync(join(folder, 'runtime.json.minisig'), ours.sign(Buffer.from('another')));
  t.throws(() => verifyRuntime(folder, trust), { code: 'E_SIGNATURE_WRONG' });
});

t.test(
  'a robot that has revoked its last key takes no runtime any more, signed or not, as it takes no policy',
  async t => {
    const ours = signer();
    const folder = release();
    const revoked: Trust = { ...nobody, revokedKeys: [parsePublicKey(ours.key).id] };
    t.throws(() => verifyRuntime(folder, revoked), { code: 'E_RUNTIME_UNSIGNED' });
    writeFileSync(join(folder, 'runtime.json.minisig'), ours.sign(Buffer.from(JSON.stringify(manifestOf(content)))));
    t.throws(() => verifyRuntime(folder, revoked), { code: 'E_SIGNATURE_REVOKED' });
    t.throws(() => verifyRuntime(folder, { ...revoked, trustedKeys: [ours.key] }), { code: 'E_SIGNATURE_REVOKED' });
    t.throws(() => verifyRuntime(folder, { ...nobody, revokedKeys: ['FEDCBA9876543210'] }), {
      code: 'E_SIGNATURE_KEY',
    });
  },
);
