import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { verifyMinisign } from '../../src/bundle/minisign.js';
import { minisign, signingKey } from './signing-key.js';

const message = Buffer.from('{"name":"policy"}\n');
const key = signingKey();
const other = signingKey();
const signature = minisign(key, message);

t.test('a signature by a trusted key is taken, wherever the key stands in the list', async t => {
  t.doesNotThrow(() => verifyMinisign(message, signature, [key.publicKey]));
  t.doesNotThrow(() => verifyMinisign(message, signature, [other.publicKey, key.publicKey]));
});

t.test('a key is taken with its comment line, as a .pub file holds it', async t => {
  const file = `untrusted comment: minisign public key\n${key.publicKey}\n`;
  t.doesNotThrow(() => verifyMinisign(message, signature, [file]));
});

t.test('a signature by a key that nobody trusts is refused, and names the key', async t => {
  t.throws(() => verifyMinisign(message, signature, [other.publicKey]), {
    code: 'E_SIGNATURE_KEY',
    message: new RegExp(key.id.toString('hex')),
  });
});

t.test('a key that only claims the id of a trusted one is refused', async t => {
  const impostor = signingKey(key.id);
  t.throws(() => verifyMinisign(message, minisign(impostor, message), [key.publicKey]), { code: 'E_SIGNATURE_WRONG' });
});

t.test('another message is refused', async t => {
  t.throws(() => verifyMinisign(Buffer.from('{"name":"policy2"}\n'), signature, [key.publicKey]), {
    code: 'E_SIGNATURE_WRONG',
  });
});

t.test('a trusted comment that was swapped is refused: it is signed, too', async t => {
  const swapped = signature.replace('timestamp:0', 'timestamp:9');
  t.throws(() => verifyMinisign(message, swapped, [key.publicKey]), { code: 'E_SIGNATURE_WRONG' });
});

t.test('the untrusted comment may be anything: that is what its name says', async t => {
  t.doesNotThrow(() => verifyMinisign(message, signature.replace('of a test', 'of nobody'), [key.publicKey]));
});

t.test('a signature without the prehash is refused in words', async t => {
  t.throws(() => verifyMinisign(message, minisign(key, message, 'x', 'Ed'), [key.publicKey]), {
    code: 'E_SIGNATURE_FORMAT',
    message: /prehashed/,
  });
});

t.test('what is no signature file is refused, not thrown at by a parser', async t => {
  for (const text of [
    '',
    '\n\n\n\n',
    'untrusted comment: x',
    signature.split('\n').slice(0, 2).join('\n'),
    '\u0000'.repeat(300),
  ])
    t.throws(
      () => verifyMinisign(message, text, [key.publicKey]),
      { code: 'E_SIGNATURE_FORMAT' },
      JSON.stringify(text),
    );
});

t.test('what is no public key is an error that shows it', async t => {
  for (const text of ['', 'hello', `RW${'A'.repeat(10)}`])
    t.throws(() => verifyMinisign(message, signature, [text]), { code: 'E_KEY_FORMAT', exit: 'usage' });
});

t.test('no single changed character of the three signed lines passes', async t => {
  const start = signature.indexOf('\n') + 1;
  fc.assert(
    fc.property(
      fc.integer({ min: start, max: signature.length - 2 }),
      fc.constantFrom(...'ABCdef019+/'),
      (position, character) => {
        const altered = signature.slice(0, position) + character + signature.slice(position + 1);
        // The last character of a base64 group carries bits that decode to nothing: then the signature is still the same one.
        const bytes = (text: string) =>
          text.split('\n').map((line, i) => (i === 2 ? line : Buffer.from(line, 'base64').toString('hex')));
        fc.pre(bytes(altered).slice(1, 4).join() !== bytes(signature).slice(1, 4).join());
        try {
          verifyMinisign(message, altered, [key.publicKey]);
          return false;
        } catch (error) {
          return /^E_SIGNATURE_/.test((error as { code: string }).code);
        }
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

// Where the program itself is installed (Debian: minisign), it and this file must agree in both directions.
if (spawnSync('minisign', ['-v']).status === 0)
  t.test('the minisign program and this one take each other’s signatures', async t => {
    const folder = t.testdir({ 'policy.json': message.toString() });
    const path = (name: string) => join(folder, name);
    const run = (...args: string[]) => spawnSync('minisign', args, { encoding: 'utf8' });
    t.equal(run('-G', '-W', '-p', path('key.pub'), '-s', path('key.sec')).status, 0, 'makes a key');
    t.equal(run('-S', '-s', path('key.sec'), '-m', path('policy.json')).status, 0, 'signs');
    const theirs = readFileSync(path('policy.json.minisig'), 'utf8');
    const publicKey = readFileSync(path('key.pub'), 'utf8');
    t.doesNotThrow(() => verifyMinisign(message, theirs, [publicKey]));
    t.throws(() => verifyMinisign(Buffer.from('other'), theirs, [publicKey]), { code: 'E_SIGNATURE_WRONG' });
    writeFileSync(path('policy.json.minisig'), signature);
    const verified = run('-V', '-P', key.publicKey, '-m', path('policy.json'));
    t.equal(verified.status, 0, verified.stderr);
  });
