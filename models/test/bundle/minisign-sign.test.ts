import fc from 'fast-check';
import t from 'tap';
import { verifyMinisign } from '../../src/bundle/minisign.js';
import { openSecretKey } from '../../src/bundle/minisign-secret-key.js';
import { signMinisign } from '../../src/bundle/minisign-sign.js';
import { noPassword, testKey } from './cheap-key.js';
import { message, plain } from './minisign-vectors.js';

t.test('with minisign’s key and comment the signature is minisign’s, to the byte', async t => {
  const key = await openSecretKey(plain.secret, noPassword);
  const [, ...signed] = signMinisign(message, key, 'sequence:1700000000001').split('\n');
  t.same(signed, plain.signature.split('\n').slice(1), 'Ed25519 leaves nothing to chance');
});

t.test('what is signed verifies, with whatever comment, and says who signed it', async t => {
  const key = testKey();
  const comment = fc.string({ unit: 'grapheme-ascii', maxLength: 80 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), comment, (bytes, comment) => {
      const verified = verifyMinisign(bytes, signMinisign(bytes, key, comment), [key.line]);
      return verified.keyId === key.id && verified.trustedComment === comment;
    }),
    { numRuns: 50 },
  );
  t.match(signMinisign(message, key, 'x'), new RegExp(`^untrusted comment: .* ${key.id}\n`));
});

t.test('a comment that is not one printable line is refused', async t => {
  for (const [i, comment] of ['a\nb', 'a\r', '\u001b[2J', 'a\u202eb', '\u2028', 'a\ud800'].entries())
    t.throws(() => signMinisign(message, testKey(), comment), { code: 'E_SIGNATURE_FORMAT' }, `comment ${i}`);
  t.doesNotThrow(() => signMinisign(message, testKey(), 'timestamp:1\tfile:größe.json'), 'tabs separate fields');
});
