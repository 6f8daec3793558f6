import fc from 'fast-check';
import t from 'tap';
import { crc16 } from '../../src/dynamixel/crc16.js';
import { bytesOf, dynamixelVectors } from '../support/vectors.js';

t.test('it gives the check value of the catalogue and the other vectors', async t => {
  for (const { bytes, crc16: expected } of dynamixelVectors.crc)
    t.equal(crc16(bytesOf(bytes)).toString(16).padStart(4, '0'), expected, bytes || 'nothing');
});

t.test('it may be taken in pieces', async () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => crc16(b, crc16(a)) === crc16(Uint8Array.of(...a, ...b))),
  );
});

t.test('one bit changed anywhere changes it', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 128 }), fc.nat(), (bytes, at) => {
      const bit = at % (8 * bytes.length);
      const other = Uint8Array.from(bytes);
      other[bit >> 3]! ^= 1 << (bit & 7);
      return crc16(other) !== crc16(bytes);
    }),
  );
});
