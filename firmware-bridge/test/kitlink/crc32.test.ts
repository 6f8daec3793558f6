import fc from 'fast-check';
import t from 'tap';
import { crc32 } from '../../src/kitlink/crc32.js';
import { bytesOf, crcVectors } from '../support/vectors.js';

t.test('it gives the check value of the catalogue and the other vectors', async t => {
  for (const { bytes, crc32: expected } of crcVectors.vectors)
    t.equal(crc32(bytesOf(bytes)).toString(16).padStart(8, '0'), expected, bytes.slice(0, 20) || 'nothing');
});

t.test('it may be taken in pieces', async () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => crc32(b, crc32(a)) === crc32(Uint8Array.of(...a, ...b))),
  );
});

t.test('bytes with their own CRC behind them leave the residue that the firmware looks for', async () => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      const own = new Uint8Array(4);
      new DataView(own.buffer).setUint32(0, crc32(bytes), true);
      return crc32(own, crc32(bytes)) === 0x2144df1c;
    }),
  );
});

t.test('one bit changed anywhere changes it', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 128 }), fc.nat(), (bytes, at) => {
      const bit = at % (8 * bytes.length);
      const other = Uint8Array.from(bytes);
      other[bit >> 3]! ^= 1 << (bit & 7);
      return crc32(other) !== crc32(bytes);
    }),
  );
});
