import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { blake2b } from '../../src/bundle/blake2b.js';

t.test('the example of RFC 7693, appendix A', async t => {
  t.equal(
    blake2b(Buffer.from('abc'), 64).toString('hex'),
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
  );
});

t.test('32 bytes are a digest of their own, not the half of 64', async t => {
  // b2sum -l 256
  for (const [text, digest] of [
    ['', '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8'],
    ['abc', 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319'],
  ] as const) {
    t.equal(blake2b(Buffer.from(text), 32).toString('hex'), digest);
    t.not(blake2b(Buffer.from(text), 64).toString('hex').slice(0, 64), digest);
  }
});

t.test('with 64 bytes it is Node’s own, for every length up to three blocks', async t => {
  const all = Buffer.from(Array.from({ length: 385 }, (_, i) => (7 * i + 3) & 255));
  const differ = [];
  for (let length = 0; length <= all.length; length++) {
    const message = all.subarray(0, length);
    if (!blake2b(message, 64).equals(createHash('blake2b512').update(message).digest())) differ.push(length);
  }
  t.same(differ, []);
});

t.test('and for any bytes', async t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), message =>
      blake2b(message, 64).equals(createHash('blake2b512').update(message).digest()),
    ),
    { numRuns: 50 },
  );
  t.pass();
});
