import fc from 'fast-check';
import t from 'tap';
import { CobsDecoder, cobsEncode, cobsSize } from '../../src/kitlink/cobs.js';
import { bytesOf, cobsVectors, hexOf } from '../support/vectors.js';

const encode = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(cobsSize(bytes.length));
  return out.subarray(0, cobsEncode(bytes, out));
};

/** What a decoder says of `encoded` and a delimiter: hex of the frames, or `bad`. */
const decode = (encoded: Uint8Array, capacity = 1024): string[] => {
  const decoder = new CobsDecoder(capacity);
  const said: string[] = [];
  for (const byte of [...encoded, 0]) {
    const result = decoder.put(byte);
    if (result === 'frame') said.push(hexOf(decoder.bytes.subarray(0, decoder.length)));
    if (result === 'bad') said.push('bad');
  }
  return said;
};

t.test('it encodes and decodes the vectors of the paper and of runtime practice', async t => {
  for (const { name, decoded, encoded, alsoDecodes } of cobsVectors.vectors) {
    t.equal(hexOf(encode(bytesOf(decoded))), encoded, `${name}: encoded`);
    t.same(decode(bytesOf(encoded)), [decoded], `${name}: decoded`);
    if (alsoDecodes !== undefined)
      t.same(decode(bytesOf(alsoDecodes)), [decoded], `${name}: decoded with an empty block`);
  }
});

t.test('a frame that was cut short is bad, and says nothing else', async t => {
  for (const { name, encoded } of cobsVectors.bad) t.same(decode(bytesOf(encoded)), ['bad'], name);
});

t.test('nothing between two delimiters is nothing', async t => {
  t.same(decode(Uint8Array.of(0, 0, 0)), []);
});

t.test('a frame longer than the buffer is bad, and the next one is found', async t => {
  const long = encode(new Uint8Array(40).fill(7));
  const next = encode(Uint8Array.of(1, 0, 2));
  t.same(decode(Uint8Array.of(...long, 0, ...next), 32), ['bad', '010002']);
});

t.test('a frame exactly as long as the buffer fits', async t => {
  const whole = new Uint8Array(32).fill(7);
  t.same(decode(encode(whole), 32), [hexOf(whole)]);
});

t.test(
  'whatever the bytes: no zero inside, at most the room that was promised, and back to what they were',
  async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 600 }).map(list => Uint8Array.from(list)),
      fc.array(fc.constant(9), { minLength: 250, maxLength: 512 }).map(list => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(bytes, bytes => {
        const encoded = encode(bytes);
        return !encoded.includes(0) && encoded.length <= cobsSize(bytes.length) && decode(encoded)[0] === hexOf(bytes);
      }),
      { numRuns: 500 },
    );
  },
);

t.test('it writes where it is told to', async t => {
  const out = new Uint8Array(8).fill(0xee);
  t.equal(cobsEncode(Uint8Array.of(5, 0), out, 3), 6);
  t.equal(hexOf(out), 'eeeeee020501eeee');
});
