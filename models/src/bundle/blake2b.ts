/**
 * BLAKE2b with digests of any length (RFC 7693). Node's own makes 64 bytes only, and the checksum of a minisign secret key is one of 32, which
 * is no part of those. For some bytes now and then: whatever is signed is hashed by Node.
 */

const initial = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
];

/** RFC 7693 §2.7; rounds 10 and 11 are 0 and 1 again. */
const schedule = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const rounds = 12;
const blockBytes = 128;

const low64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotated = (value: bigint, bits: bigint): bigint => low64((value >> bits) | (value << (64n - bits)));

/** One block into the state; `count` is of all bytes so far, this block included. */
function compress(state: bigint[], block: Buffer, count: number, last: boolean): void {
  const v = [...state, ...initial];
  v[12]! ^= BigInt(count);
  if (last) v[14] = low64(~v[14]!);
  const mix = (a: number, b: number, c: number, d: number, x: bigint, y: bigint) => {
    v[a] = low64(v[a]! + v[b]! + x);
    v[d] = rotated(v[d]! ^ v[a]!, 32n);
    v[c] = low64(v[c]! + v[d]!);
    v[b] = rotated(v[b]! ^ v[c]!, 24n);
    v[a] = low64(v[a]! + v[b]! + y);
    v[d] = rotated(v[d]! ^ v[a]!, 16n);
    v[c] = low64(v[c]! + v[d]!);
    v[b] = rotated(v[b]! ^ v[c]!, 63n);
  };
  for (let round = 0; round < rounds; round++) {
    const word = (i: number) => block.readBigUInt64LE(8 * schedule[round % schedule.length]![i]!);
    // The columns, then the diagonals.
    for (let i = 0; i < 4; i++) mix(i, 4 + i, 8 + i, 12 + i, word(2 * i), word(2 * i + 1));
    for (let i = 0; i < 4; i++)
      mix(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4), word(8 + 2 * i), word(9 + 2 * i));
  }
  for (let i = 0; i < 8; i++) state[i]! ^= v[i]! ^ v[i + 8]!;
}

/** @param digestBytes 1 to 64 */
export function blake2b(message: Uint8Array, digestBytes: number): Buffer {
  const state = [...initial];
  state[0]! ^= 0x01010000n ^ BigInt(digestBytes);
  // An empty message is one block of zeros; a full last block is the last one.
  const blocks = Math.max(1, Math.ceil(message.length / blockBytes));
  for (let i = 0; i < blocks; i++) {
    const block = Buffer.alloc(blockBytes);
    block.set(message.subarray(i * blockBytes, (i + 1) * blockBytes));
    compress(state, block, Math.min(message.length, (i + 1) * blockBytes), i === blocks - 1);
  }
  const digest = Buffer.alloc(64);
  for (const [i, word] of state.entries()) digest.writeBigUInt64LE(word, 8 * i);
  return digest.subarray(0, digestBytes);
}
