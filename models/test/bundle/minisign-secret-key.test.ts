import { createPublicKey, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { publicKeyFile } from '../../src/bundle/minisign-public-key.js';
import {
  generateSecretKey,
  isEncrypted,
  openSecretKey,
  privateKeyOf,
  scryptParameters,
  secretKeyFile,
  sensitiveLimits,
} from '../../src/bundle/minisign-secret-key.js';
import { KitError } from '../../src/error.js';
import { cheapLimits, noPassword } from './cheap-key.js';
import { encrypted, password, plain } from './minisign-vectors.js';

const key = generateSecretKey();

/** Of a secret-key file; head: 2 Ed, 2 way, 2 B2, 32 salt, 8 operations, 8 memory; then 8 id, 32 seed, 32 public, 32 checksum. */
const rawOf = (text: string) => Buffer.from(text.split('\n')[1]!, 'base64');
const fileOf = (raw: Uint8Array) => `untrusted comment: x\n${Buffer.from(raw).toString('base64')}\n`;

t.test('N, r and p follow from libsodium’s limits', async t => {
  t.same(scryptParameters(sensitiveLimits), { N: 2 ** 20, r: 8, p: 1 }, 'what minisign takes');
  t.same(scryptParameters({ operations: 524_288, memoryBytes: 16_777_216 }), { N: 2 ** 14, r: 8, p: 1 }, 'INTERACTIVE');
  // Operations that memory does not use up go into p; where there are fewer, they decide N. 32768 is the least.
  t.same(scryptParameters({ operations: 2 ** 22, memoryBytes: 2 ** 24 }), { N: 2 ** 14, r: 8, p: 8 });
  t.same(scryptParameters({ operations: 32_768, memoryBytes: 2 ** 30 }), { N: 2 ** 10, r: 8, p: 1 });
  t.same(scryptParameters({ operations: 0, memoryBytes: 2 ** 30 }), { N: 2 ** 10, r: 8, p: 1 });
  t.same(scryptParameters({ operations: 0, memoryBytes: 0 }), { N: 2, r: 8, p: 512 });
});

t.test('a key that minisign encrypted opens with its password, and with no other', async t => {
  t.equal(isEncrypted(encrypted.secret), true);
  const opened = await openSecretKey(encrypted.secret, async () => password);
  t.equal(publicKeyFile(opened.publicKey), encrypted.public);
  for (const wrong of ['', 'Correct horse', `${password} `])
    await t.rejects(
      openSecretKey(encrypted.secret, async () => wrong),
      { code: 'E_KEY_PASSWORD', exit: 'usage' },
    );
});

t.test('a key that minisign did not encrypt opens, and nobody is asked', async t => {
  t.equal(isEncrypted(plain.secret), false);
  t.equal(publicKeyFile((await openSecretKey(plain.secret, noPassword)).publicKey), plain.public);
});

t.test('what is written opens again, encrypted or not', async t => {
  const sealed = await secretKeyFile(key, 'pass wörd', cheapLimits);
  t.match(sealed, /^untrusted comment: minisign encrypted secret key\nRWRTY0Iy/);
  t.same(await openSecretKey(sealed, async () => 'pass wörd'), key);
  const open = await secretKeyFile(key, undefined);
  t.match(open, /^untrusted comment: minisign secret key, not encrypted\nRWQAAEIy/);
  t.same(await openSecretKey(open, noPassword), key);
  t.not(await secretKeyFile(key, 'pass wörd', cheapLimits), sealed, 'with another salt each time');
  t.notOk(rawOf(sealed).includes(Buffer.from(key.seed)), 'the seed does not stand in an encrypted file');
});

t.test('each key is another one, and its halves belong together', async t => {
  const other = generateSecretKey();
  t.not(other.publicKey.id, key.publicKey.id);
  t.notSame(other.seed, key.seed);
  t.match(key.publicKey.id, /^[0-9A-F]{16}$/);
  const message = Buffer.from('x');
  const node = privateKeyOf(key.seed);
  t.ok(verify(null, message, createPublicKey(node), sign(null, message, node)));
});

t.test('a file that is damaged says so, and which one is wanted', async t => {
  const good = await secretKeyFile(key, undefined);
  const raw = rawOf(good);
  const withByte = (at: number, value: number) => {
    const changed = Buffer.from(raw);
    changed[at] = value;
    return fileOf(changed);
  };
  const unsummed = Buffer.from(raw);
  unsummed.fill(0, 126);
  unsummed[70]! ^= 1;
  for (const [text, message] of [
    ['', /not a minisign secret key/],
    [encrypted.public, /not a minisign secret key/],
    [good.replace('untrusted', 'trusted'), /not a minisign secret key/],
    [`${good}more\n`, /not a minisign secret key/],
    [withByte(0, 0), /no known algorithm/],
    [withByte(4, 0), /no known algorithm/],
    [withByte(2, 1), /encrypted in no known way/],
    [withByte(60, raw[60]! ^ 1), /checksum/],
    [withByte(157, raw[157]! ^ 1), /checksum/],
    [fileOf(unsummed), /two halves/],
  ] as const)
    await t.rejects(openSecretKey(text, noPassword), { code: 'E_KEY_FORMAT', exit: 'usage', message }, text);
});

t.test('a file that asks for more memory or time than minisign ever does is refused before it gets any', async t => {
  const raw = rawOf(encrypted.secret);
  for (const at of [38, 46]) {
    const greedy = Buffer.from(raw);
    greedy.writeBigUInt64LE(2n ** 40n, at);
    await t.rejects(openSecretKey(fileOf(greedy), noPassword), { code: 'E_KEY_FORMAT', message: /more than minisign/ });
  }
});

t.test('no changed byte of a secret key opens it, and none does anything but fail in words', async () => {
  const open = rawOf(await secretKeyFile(key, undefined));
  const sealed = rawOf(await secretKeyFile(key, 'x', cheapLimits));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(open, sealed),
      fc.nat({ max: open.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (raw, at, change) => {
        const altered = Buffer.from(raw);
        altered[at]! ^= change;
        // The upper bytes of the limits would ask for up to 1 GiB: that is tested above.
        fc.pre(raw !== sealed || at < 38 || at >= 54);
        // Salt and limits of a key that is not encrypted are nobody's.
        const unused = raw === open && at >= 6 && at < 54;
        try {
          const { seed } = await openSecretKey(fileOf(altered), async () => 'x');
          return unused && Buffer.from(seed).equals(key.seed);
        } catch (error) {
          return !unused && error instanceof KitError && /^E_KEY_(FORMAT|PASSWORD)$/.test(error.code);
        }
      },
    ),
    { numRuns: 200 },
  );
});
