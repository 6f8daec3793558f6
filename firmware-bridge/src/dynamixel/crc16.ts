/**
 * The CRC-16 of Dynamixel's protocol 2.0: polynomial 8005, not reflected, init 0, no final xor (CRC-16/UMTS); check("123456789") = FEE8.
 *
 * Source: ROBOTIS e-Manual, "CRC Calculation".
 */
const table = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x8005 : crc << 1;
  return crc;
});

/** @param start 0, or what an earlier call returned for the bytes before these */
export function crc16(bytes: Uint8Array, start = 0): number {
  let crc = start;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ byte]!;
  return crc;
}
