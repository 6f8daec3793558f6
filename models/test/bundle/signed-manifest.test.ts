/** What a robot with trusted keys refuses, by its own code and in words; and that nothing is parsed before it may be believed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { sealManifest } from '../../src/bundle/manifest.js';
import { signMinisign } from '../../src/bundle/minisign-sign.js';
import { sequenceComment } from '../../src/bundle/sequence.js';
import { type BundleExpectation, expectationOf, mustBeSigned, readManifest } from '../../src/bundle/signed-manifest.js';
import { sha256 } from '../../src/digest.js';
import { KitError } from '../../src/error.js';
import { desk2With } from '../arms.js';
import { testKey } from './cheap-key.js';
import { forge, robot, smallBundle } from './small-bundle.js';

const key = testKey();
const trustedKeys = [key.line];
const folder = smallBundle(t.testdir({}));
const good = readFileSync(join(folder, 'policy.json'));

const sign = (bytes: Uint8Array, by = key, comment = sequenceComment(7)) =>
  Buffer.from(signMinisign(bytes, by, comment));
const read = (bytes: Uint8Array, signature?: Uint8Array, expected: BundleExpectation = { trustedKeys }) =>
  readManifest(bytes, signature, expected, 'BUNDLE');

/** The good manifest with changes, sealed again. */
function forged(change: (manifest: Record<string, unknown>) => void): Buffer {
  const manifest = JSON.parse(good.toString('utf8')) as Record<string, unknown>;
  delete manifest.seal;
  change(manifest);
  return Buffer.from(sealManifest(manifest as Parameters<typeof sealManifest>[0]));
}

/** Refused with this code although it is signed by a trusted key. */
function refused(t: Test, code: string, bytes: Uint8Array, expected: BundleExpectation = {}): KitError {
  try {
    read(bytes, sign(bytes), { trustedKeys, ...expected });
  } catch (error) {
    t.match(error, { code }, code);
    return error as KitError;
  }
  throw new Error(`${code} was not thrown`);
}

t.test('a signed manifest is read, with who signed it and its sequence', async t => {
  const { manifest, digest, signature } = read(good, sign(good));
  t.same(signature, { keyId: key.id, sequence: 7 });
  t.equal(digest, sha256(good));
  t.equal(manifest.name, 'small');
  t.same(manifest.runtime, { needs: '0.1.0' });
});

t.test('without keys none is asked for, and none is looked at', async t => {
  t.notOk('signature' in read(good, Buffer.from('nonsense'), {}));
  t.equal(mustBeSigned({}), false);
  t.equal(mustBeSigned({ trustedKeys: [], revokedKeys: [] }), false);
});

t.test('a robot that has revoked its last key takes nothing any more, signed or not', async t => {
  t.equal(mustBeSigned({ revokedKeys: [key.id] }), true);
  const revokedKeys = [key.id];
  t.throws(() => read(good, undefined, { revokedKeys }), { code: 'E_BUNDLE_UNSIGNED' });
  t.throws(() => read(good, sign(good, testKey()), { revokedKeys }), { code: 'E_SIGNATURE_KEY' });
});

t.test('each way to be refused has a code, a message and a next step of its own', async t => {
  const other = testKey();
  const bytes = good;
  const legacy = Buffer.from(sign(good).toString('latin1').replace('\nRU', '\nRW'), 'latin1');
  const swapped = Buffer.from(sign(good).toString('latin1').replace('sequence:7', 'sequence:8'), 'latin1');
  const revokedKeys = [key.id];
  const newer = forged(manifest => Object.assign(manifest, { runtime: { needs: '0.2.0' } }));
  const elsewhere = { trustedKeys, robot: { spec: desk2With({ name: 'desk3' }), specSha256: robot.specSha256 } };
  const cases: readonly (readonly [string, RegExp, RegExp, () => unknown])[] = [
    ['E_BUNDLE_UNSIGNED', /BUNDLE is not signed/, /kit keys sign BUNDLE --key NAME/, () => read(bytes)],
    ['E_SIGNATURE_WRONG', /does not fit/, /get the bundle again/, () => read(newer, sign(good))],
    ['E_SIGNATURE_KEY', /does not trust/, /kit keys trust/, () => read(bytes, sign(bytes, other))],
    [
      'E_SIGNATURE_REVOKED',
      /has revoked/,
      /sign it again/,
      () => read(bytes, sign(bytes), { trustedKeys, revokedKeys }),
    ],
    ['E_SIGNATURE_LEGACY', /legacy form/, /without -l/, () => read(bytes, legacy)],
    ['E_SIGNATURE_COMMENT', /trusted comment/, /get the signature again/, () => read(bytes, swapped)],
    ['E_SIGNATURE_SEQUENCE', /how new/, /kit keys sign/, () => read(bytes, sign(bytes, key, 'for the desk'))],
    ['E_SIGNATURE_FORMAT', /not a minisign signature/, /sign the bundle again/, () => read(bytes, Buffer.from('x'))],
    ['E_BUNDLE_RUNTIME', /needs runtime 0\.2\.0 or later, and here is/, /up to date/, () => read(newer, sign(newer))],
    [
      'E_BUNDLE_ROBOT',
      /for robot 'desk2', not for 'desk3'/,
      /--robot desk2/,
      () => read(bytes, sign(bytes), elsewhere),
    ],
  ];
  for (const [code, message, hint, attempt] of cases) t.throws(attempt, { code, message, hint }, code);
  const all = cases.map(([, , , attempt]) => {
    try {
      return attempt();
    } catch (error) {
      return (error as Error).message;
    }
  });
  t.equal(new Set(all).size, cases.length);
});

t.test('signatures come before everything: a manifest that is none is not even parsed', async t => {
  for (const bytes of [Buffer.from('{'), Buffer.from([0xff]), Buffer.from('{"a":1,"a":2}'), Buffer.alloc(0)]) {
    t.throws(() => read(bytes), { code: 'E_BUNDLE_UNSIGNED' });
    t.throws(() => read(bytes, sign(good)), { code: 'E_SIGNATURE_WRONG' });
    t.throws(() => read(bytes, sign(bytes)), { code: /^E_(FILE|JSON)_/ }, 'only what is signed is');
  }
});

t.test('a runtime that is too old is told before anything that it would not understand', async t => {
  const later = (needs: string) =>
    forged(manifest =>
      Object.assign(manifest, { format: 'sim2servo/policy@9', colour: 'red', runtime: { needs, gpu: 1 } }),
    );
  refused(t, 'E_BUNDLE_RUNTIME', later('0.1.1'));
  refused(t, 'E_BUNDLE_RUNTIME', later('1.0.0'));
  refused(t, 'E_FILE_SCHEMA', later('0.1.0'));
  refused(t, 'E_FILE_SCHEMA', later('soon'));
  const needs = forged(manifest => Object.assign(manifest, { runtime: { needs: '0.3.0' } }));
  t.match(refused(t, 'E_BUNDLE_RUNTIME', needs, { runtimeVersion: '0.2.9' }).message, /here is 0\.2\.9/);
  t.equal(read(needs, sign(needs), { trustedKeys, runtimeVersion: '0.3.0' }).manifest.runtime.needs, '0.3.0');
});

t.test('a manifest from before the field is one that the first runtime runs', async t => {
  const old = forged(manifest => delete manifest.runtime);
  t.same(read(old, sign(old)).manifest.runtime, { needs: '0.1.0' });
});

t.test('a key that stands twice, or goes too deep, is refused although it is signed', async t => {
  const text = good.toString('utf8');
  refused(t, 'E_JSON_KEY', Buffer.from(text.replace('"name": "small"', '"name": "large", "name": "small"')));
  refused(t, 'E_JSON_KEY', Buffer.from(text.replace('"task"', '"na\\u006de": "x", "task"')));
  refused(t, 'E_JSON_DEPTH', Buffer.from(text.replace('"width": 0', `"width": ${'['.repeat(20)}${']'.repeat(20)}`)));
});

t.test('names that lead elsewhere, or are one to some file system, are refused although they are signed', async t => {
  const digest = sha256('x');
  for (const [name, message] of [
    ['../secret', /Invalid key/],
    ['/etc/passwd', /Invalid key/],
    ['a/b.bin', /Invalid key/],
    ['a\\b.bin', /Invalid key/],
    ['.hidden', /Invalid key/],
    ['..', /Invalid key/],
    ['', /Invalid key/],
    ['c:x', /Invalid key/],
    ['nul\u0000', /Invalid key/],
    ['größe.bin', /Invalid key/],
    ['a'.repeat(101), /Invalid key/],
    ['policy.json', /sealed and signed, not listed/],
    ['policy.JSON', /sealed and signed, not listed/],
    ['policy.json.minisig', /sealed and signed, not listed/],
    ['policy.ONNX', /upper and lower case only/],
  ] as const) {
    const bytes = forged(manifest => Object.assign(manifest.files as object, { [name]: digest }));
    t.match(refused(t, 'E_FILE_SCHEMA', bytes).message, message, JSON.stringify(name));
  }
  const many = Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`f${i}`, digest]));
  t.match(
    refused(
      t,
      'E_FILE_SCHEMA',
      forged(manifest => Object.assign(manifest.files as object, many)),
    ).message,
    /must be 32 files at most/,
  );
});

t.test('the seal is looked at also under a signature', async t => {
  refused(t, 'E_BUNDLE_DIGEST', Buffer.from(good.toString('utf8').replace('"small"', '"large"')));
});

t.test('a robot asks for its own keys, with those that it has revoked', async t => {
  const site = { ...robot.site, trustedKeys, revokedKeys: ['0123456789ABCDEF'] };
  const expected = expectationOf({ ...robot, site });
  t.match(expected, { trustedKeys, revokedKeys: ['0123456789ABCDEF'], robot: { specSha256: robot.specSha256 } });
  t.equal(read(good, sign(good), expected).signature!.keyId, key.id);
});

t.test('no changed byte of a signed manifest or of its signature is let in', async t => {
  const parts = [good, sign(good)] as const;
  // The first line of a signature is nobody's.
  const free = parts[1].indexOf('\n');
  fc.assert(
    fc.property(
      fc.nat({ max: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 255 }),
      (part, share, change) => {
        const altered = parts.map(bytes => Buffer.from(bytes)) as [Buffer, Buffer];
        const at =
          part === 0 ? Math.floor(share * (good.length - 1)) : free + Math.floor(share * (parts[1].length - 2 - free));
        altered[part]![at]! ^= change;
        try {
          read(...altered);
          return false;
        } catch (error) {
          return error instanceof KitError && /^E_(SIGNATURE_|FILE_JSON)/.test(error.code);
        }
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('no changed byte of a manifest does anything but fail in words, also where nobody signs', async t => {
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.uint8Array({ minLength: 1, maxLength: 4 }), (at, bytes) => {
      const altered = Buffer.from(good);
      altered.set(bytes.subarray(0, good.length - at), at);
      fc.pre(!altered.equals(good));
      try {
        read(altered, undefined, {});
        return false;
      } catch (error) {
        return error instanceof KitError;
      }
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

t.test('layouts are compared with the robot’s', async t => {
  const reversed = forge(smallBundle(join(t.testdir({}), 'x')), manifest => {
    const layout = manifest.action as { names: string[] };
    layout.names = [...layout.names].reverse();
  });
  const bytes = readFileSync(join(reversed, 'policy.json'));
  refused(t, 'E_BUNDLE_LAYOUT', bytes, { robot });
  refused(t, 'E_BUNDLE_SPEC', good, { robot: { spec: robot.spec, specSha256: 'f'.repeat(64) } });
});
