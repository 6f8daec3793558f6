import t from 'tap';
import { crc32c, maskedCrc32c } from '../../src/metrics/crc32c.js';

t.test('the checksum is that of RFC 3720, appendix B.4', t => {
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  t.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  t.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  t.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  t.end();
});

t.test('the mask rotates by 15 and adds the constant', t => {
  const crc = 0xe3069283;
  t.equal(
    maskedCrc32c(Buffer.from('123456789')),
    Number(((BigInt(crc) >> 15n) | ((BigInt(crc) << 17n) & 0xffffffffn)) + 0xa282ead8n) % 2 ** 32,
  );
  t.end();
});
