import fc from 'fast-check';
import t from 'tap';
import { readSignature, verifyMinisign } from '../../src/bundle/minisign.js';
import { signMinisign } from '../../src/bundle/minisign-sign.js';
import { KitError } from '../../src/error.js';
import { testKey } from './cheap-key.js';
import { encrypted, message, plain } from './minisign-vectors.js';

const key = testKey();
const other = testKey();
const signature = signMinisign(message, key, 'sequence:7');

t.test('a signature by a trusted key is taken, wherever the key stands in the list', async t => {
  const verified = { keyId: key.id, trustedComment: 'sequence:7' };
  t.same(verifyMinisign(message, signature, [key.line]), verified);
  t.same(verifyMinisign(message, signature, [other.line, key.line]), verified);
});

t.test('a key is taken with its comment line, as a .pub file holds it', async t => {
  t.equal(verifyMinisign(message, signature, [`untrusted comment: mine\n${key.line}\n`]).keyId, key.id);
});

t.test('signatures of the minisign program are taken, and the comment is the one that it signed', async t => {
  t.same(verifyMinisign(message, plain.signature, [plain.public]), {
    keyId: plain.id,
    trustedComment: 'sequence:1700000000001',
  });
  t.same(verifyMinisign(message, encrypted.signature, [plain.public, encrypted.public]), {
    keyId: encrypted.id,
    trustedComment: 'timestamp:1795296755\tfile:message\thashed',
  });
});

t.test('a signature by a key that nobody trusts is refused, and names the key', async t => {
  for (const trusted of [[other.line], []])
    t.throws(() => verifyMinisign(message, signature, trusted), {
      code: 'E_SIGNATURE_KEY',
      message: new RegExp(key.id),
      hint: /kit keys trust/,
    });
});

t.test('a revoked key is refused as such, be it trusted or not', async t => {
  for (const trusted of [[key.line], [other.line], []])
    t.throws(() => verifyMinisign(message, signature, trusted, [other.id, key.id]), {
      code: 'E_SIGNATURE_REVOKED',
      message: new RegExp(key.id),
      hint: /sign it again/,
    });
  t.doesNotThrow(() => verifyMinisign(message, signature, [key.line], [other.id]));
});

t.test('a key that only claims the id of a trusted one is refused, and stands in nobody’s way', async t => {
  const impostor = testKey(key.id);
  const forged = signMinisign(message, impostor, 'sequence:7');
  t.throws(() => verifyMinisign(message, forged, [key.line]), { code: 'E_SIGNATURE_WRONG' });
  t.equal(verifyMinisign(message, signature, [impostor.line, key.line]).keyId, key.id);
});

t.test('another message is refused', async t => {
  t.throws(() => verifyMinisign(Buffer.from('{"name":"policy2"}\n'), signature, [key.line]), {
    code: 'E_SIGNATURE_WRONG',
  });
});

t.test('a trusted comment that was swapped is refused as such: it is signed, too', async t => {
  const refused = { code: 'E_SIGNATURE_COMMENT', message: /'sequence:9' is not the one/ };
  t.throws(() => verifyMinisign(message, signature.replace('sequence:7', 'sequence:9'), [key.line]), refused);
  const lines = signature.split('\n');
  const later = signMinisign(Buffer.from('another'), key, 'sequence:9').split('\n');
  const swapped = [...lines.slice(0, 2), ...later.slice(2)].join('\n');
  t.throws(() => verifyMinisign(message, swapped, [key.line]), refused, 'also with the comment of another signature');
});

t.test('the untrusted comment may be anything: that is what its name says', async t => {
  t.doesNotThrow(() => verifyMinisign(message, signature.replace(/: .*/, ': nobody'), [key.line]));
});

t.test('the legacy form, without the prehash, is refused as such', async t => {
  t.throws(() => verifyMinisign(message, plain.legacy, [plain.public]), {
    code: 'E_SIGNATURE_LEGACY',
    message: /legacy form/,
    hint: /without -l/,
  });
});

t.test('what is no signature file is refused, not thrown at by a parser', async t => {
  const lines = signature.split('\n');
  const withLine = (number: number, line: string) => lines.map((old, i) => (i === number - 1 ? line : old)).join('\n');
  for (const [text, message] of [
    ['', /1 lines/],
    ['\n\n\n\n', /line 1/],
    ['untrusted comment: x', /1 lines/],
    [lines.slice(0, 2).join('\n'), /2 lines/],
    [`${signature}more\n`, /5 lines/],
    ['\u0000'.repeat(300), /1 lines/],
    [signature.replaceAll('\n', '\r\n'), /line 2/],
    [withLine(1, 'comment: x'), /line 1/],
    [withLine(2, lines[1]!.slice(0, -4)), /line 2/],
    [withLine(2, ` ${lines[1]}`), /line 2/],
    [withLine(2, `XX${lines[1]!.slice(2)}`), /no known algorithm/],
    [withLine(3, 'comment: x'), /line 3/],
    [withLine(3, 'trusted comment: \u001b[2J'), /printed/],
    [withLine(4, ''), /line 4/],
    [withLine(4, lines[1]!), /line 4/],
  ] as const)
    t.throws(() => verifyMinisign(Buffer.from('x'), text, [key.line]), { code: 'E_SIGNATURE_FORMAT', message }, text);
});

t.test('what a signature says of itself can be read without a key', async t => {
  t.match(readSignature(signature), { keyId: key.id, trustedComment: 'sequence:7' });
  t.throws(() => readSignature(plain.legacy), { code: 'E_SIGNATURE_LEGACY' });
});

t.test('what is no public key is an error that shows it', async t => {
  t.throws(() => verifyMinisign(message, signature, ['hello']), { code: 'E_KEY_FORMAT', exit: 'usage' });
});

t.test('no changed byte of the three lines that count passes, nor does one do anything but fail in words', async t => {
  const file = Buffer.from(signature);
  const start = file.indexOf('\n') + 1;
  fc.assert(
    fc.property(
      // The last byte is the end of the last line.
      fc.integer({ min: start, max: file.length - 2 }),
      fc.integer({ min: 1, max: 255 }),
      (at, change) => {
        const altered = Buffer.from(file);
        altered[at]! ^= change;
        try {
          verifyMinisign(message, altered.toString('utf8'), [key.line]);
          return false;
        } catch (error) {
          return error instanceof KitError && /^E_SIGNATURE_/.test(error.code);
        }
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('whatever the text, it is refused in words', async t => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.nat({ max: 4 }), (text, line) => {
      const lines = signature.split('\n');
      lines[line] = text;
      try {
        verifyMinisign(Buffer.from('not what was signed'), lines.join('\n'), [key.line]);
        return false;
      } catch (error) {
        return error instanceof KitError;
      }
    }),
    { numRuns: 1000 },
  );
  t.pass();
});
