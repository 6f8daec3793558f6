/**
 * CRC-32/ISO-HDLC (zlib, Ethernet): polynomial 04C11DB7 reflected, init and final xor FFFFFFFF; check("123456789") = CBF43926.
 *
 * Its own table, as `zlib.crc32` is younger than the oldest Node we run on and not in a browser.
 */
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** @param start 0, or what an earlier call returned for the bytes before these */
export function crc32(bytes: Uint8Array, start = 0): number {
  let crc = ~start;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}
