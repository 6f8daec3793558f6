/**
 * CRC-32C (Castagnoli), as TensorFlow's record files use it, and the masked form they store.
 *
 * Parameters: polynomial 0x1EDC6F41 (reflected 0x82F63B78), start and final exclusive-or all ones, reflected; check value of `123456789`: 0xE3069283.
 * The mask keeps a CRC of data that itself holds CRCs from being weak (tensorflow/core/lib/hash/crc32c.h).
 */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
