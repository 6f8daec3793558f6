import fc from 'fast-check';
import t from 'tap';
import {
  base64Bytes,
  bytesOfId,
  idOfBytes,
  linesOf,
  parsePublicKey,
  publicKeyFile,
  publicKeyLine,
} from '../../src/bundle/minisign-public-key.js';
import { KitError } from '../../src/error.js';
import { encrypted, plain } from './minisign-vectors.js';

t.test('a key of minisign is read as a file and as a line, with the id that minisign prints', async t => {
  for (const { public: file, id } of [encrypted, plain]) {
    const line = file.split('\n')[1]!;
    for (const text of [file, line, ` ${line}\n`, file.replaceAll('\n', '\r\n')]) {
      const key = parsePublicKey(text);
      t.equal(key.id, id);
      t.equal(publicKeyLine(key), line);
      t.equal(publicKeyFile(key), file, 'and written as minisign writes it');
    }
  }
});

t.test('an id has its lowest byte first in files', async t => {
  t.equal(idOfBytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0xab)), 'AB07060504030201');
  t.same([...bytesOfId('AB07060504030201')], [1, 2, 3, 4, 5, 6, 7, 0xab]);
});

t.test('what is no public key is an error that shows it, and shows no more than a line', async t => {
  const line = plain.public.split('\n')[1]!;
  for (const text of [
    '',
    'hello',
    `RW${'A'.repeat(10)}`,
    `${line}A`,
    line.slice(1),
    `${line.slice(0, -1)} `.repeat(2),
    `no comment\n${line}`,
    `untrusted comment: x\nuntrusted comment: y\n${line}`,
    Buffer.concat([Buffer.from('ED'), Buffer.alloc(40)]).toString('base64'),
    plain.secret,
  ])
    t.throws(() => parsePublicKey(text), { code: 'E_KEY_FORMAT', exit: 'usage' }, JSON.stringify(text));
});

t.test('a secret key that was named by mistake does not land on the screen', async t => {
  t.throws(() => parsePublicKey(plain.secret), {
    code: 'E_KEY_FORMAT',
    message: /^'\w{1,16}…' is not a minisign public key$/,
  });
});

t.test('base64 is read in its one form only', async t => {
  t.same([...base64Bytes('AAE=', 2)!], [0, 1]);
  for (const text of ['AAE', 'AAF=', 'AA E=', 'AAE=\r', 'AAE=AAE=', 'AA-_'])
    t.equal(base64Bytes(text, 2), undefined, text);
  t.equal(base64Bytes('AAE=', 3), undefined, 'another length');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), bytes =>
      base64Bytes(Buffer.from(bytes).toString('base64'), bytes.length)!.equals(bytes),
    ),
  );
});

t.test('lines are counted without the end of the last', async t => {
  t.same(linesOf('a\nb\n'), ['a', 'b']);
  t.same(linesOf('a\nb'), ['a', 'b']);
  t.same(linesOf('a\n\n'), ['a', '']);
});

t.test('a changed byte is another key or none, and never anything but an error in words', async t => {
  const file = Buffer.from(plain.public);
  const start = file.indexOf('\n') + 1;
  fc.assert(
    fc.property(fc.nat({ max: file.length - 2 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = Buffer.from(file);
      altered[at]! ^= change;
      try {
        const key = parsePublicKey(altered.toString('utf8'));
        return at < start || publicKeyLine(key) !== plain.public.split('\n')[1];
      } catch (error) {
        return error instanceof KitError && error.code === 'E_KEY_FORMAT';
      }
    }),
    { numRuns: 1000 },
  );
  t.pass();
});
