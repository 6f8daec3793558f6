/**
 * A packet of Dynamixel's protocol 2.0: `FF FF FD 00, id, length u16, instruction, parameters …, CRC u16`, little-endian.
 *
 * The length counts what follows it; the CRC is over everything before it. `FF FF FD` inside instruction and parameters is followed by a
 * stuffed `FD`, so no packet holds another one's header. A status packet is the servo's answer: instruction 55, and its first parameter
 * is the error. The answer to a fast read is the exception to all this: one packet from the broadcast id that every servo appends to,
 * with a CRC after each part, and without stuffing.
 *
 * Source: ROBOTIS e-Manual, "DYNAMIXEL Protocol 2.0".
 */
import { crc16 } from './crc16.js';

export const instructions = {
  ping: 0x01,
  read: 0x02,
  write: 0x03,
  regWrite: 0x04,
  action: 0x05,
  factoryReset: 0x06,
  reboot: 0x08,
  clear: 0x10,
  status: 0x55,
  syncRead: 0x82,
  syncWrite: 0x83,
  fastSyncRead: 0x8a,
  bulkRead: 0x92,
  bulkWrite: 0x93,
  fastBulkRead: 0x9a,
} as const;

/** What all servos hear, and where the answer to a fast read comes from. */
export const broadcastId = 0xfe;
/** Ids of servos are 0 … this. */
export const lastId = 252;
/** Up to and with the length. */
export const headerBytes = 7;
export const crcBytes = 2;
/** The longest packet that is read or written: what the manufacturer's own library takes. */
export const maxPacketBytes = 1024;

const header = [0xff, 0xff, 0xfd, 0x00] as const;
const stuffing = 0xfd;

export interface Packet {
  readonly id: number;
  readonly instruction: number;
  /** Without stuffing. A status packet's first one is its error. */
  readonly parameters: Uint8Array;
}

/** Numbers as bytes, the low one first; negative ones in two's complement. */
export function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 255);
}

/** @returns what `bytes` bytes from `at` on say, as an unsigned number, or in two's complement where `signed` */
export function numberAt(from: Uint8Array, at: number, bytes: number, signed = false): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + from[at + i]!;
  return signed && value >= 2 ** (8 * bytes - 1) ? value - 2 ** (8 * bytes) : value;
}

/** As it goes over the wire. @throws RangeError for what is too long to be a packet */
export function encodePacket(id: number, instruction: number, parameters: ArrayLike<number> = []): Uint8Array {
  const bytes = new Uint8Array(headerBytes + 1 + parameters.length + Math.floor(parameters.length / 3) + crcBytes);
  bytes.set([...header, id]);
  bytes[headerBytes] = instruction;
  let at = headerBytes + 1;
  for (let i = 0; i < parameters.length; i++) {
    bytes[at++] = parameters[i]!;
    if (parameters[i] === 0xfd && i >= 2 && parameters[i - 1] === 0xff && parameters[i - 2] === 0xff)
      bytes[at++] = stuffing;
  }
  const end = at + crcBytes;
  if (end > maxPacketBytes) throw new RangeError(`a packet of ${end} bytes: at most ${maxPacketBytes} fit`);
  bytes.set(littleEndian(end - headerBytes, 2), headerBytes - 2);
  bytes.set(littleEndian(crc16(bytes.subarray(0, at)), crcBytes), at);
  return bytes.subarray(0, end);
}

export function encodeStatus(id: number, error: number, parameters: ArrayLike<number> = []): Uint8Array {
  return encodePacket(id, instructions.status, [error, ...Array.from(parameters)]);
}

/** What a servo adds to the answer of a fast read; with its CRC, that over the whole answer so far. */
export interface FastPart {
  readonly error: number;
  readonly id: number;
  readonly data: ArrayLike<number>;
}

/** Bytes of a part around its data. */
export const fastPartBytes = 2 + crcBytes;

/**
 * What a servo sends of the answer to a fast read.
 *
 * @param before    what the servos before it have sent of it; the first one begins the packet
 * @param dataBytes of every servo that was asked: the packet's length
 */
export function encodeFastPart(
  { error, id, data }: FastPart,
  before: Uint8Array,
  dataBytes: readonly number[],
): Uint8Array {
  const length = 1 + dataBytes.reduce((sum, bytes) => sum + bytes + fastPartBytes, 0);
  const head = before.length > 0 ? [] : [...header, broadcastId, ...littleEndian(length, 2), instructions.status];
  const part = [...head, error, id, ...Array.from(data)];
  return Uint8Array.from([...part, ...littleEndian(crc16(Uint8Array.from(part), crc16(before)), crcBytes)]);
}

/** Instruction and CRC. */
const shortestLength = 1 + crcBytes;

/** The length of the good packet that begins at `start` of `bytes[start, end)`; 0 where more must come to tell, −1 where none begins. */
export function packetLength(bytes: Uint8Array, start: number, end: number): number {
  for (let i = 0; i < header.length && start + i < end; i++) if (bytes[start + i] !== header[i]) return -1;
  if (end - start < headerBytes) return 0;
  const length = numberAt(bytes, start + headerBytes - 2, 2);
  const size = headerBytes + length;
  if (length < shortestLength || size > maxPacketBytes) return -1;
  if (end - start < size) return 0;
  const crcAt = start + size - crcBytes;
  return crc16(bytes.subarray(start, crcAt)) === numberAt(bytes, crcAt, crcBytes) ? size : -1;
}

/**
 * What the packet of {@link packetLength} bytes at `start` says.
 *
 * @param room [at least `length`] where its parameters are put
 */
export function decodePacket(bytes: Uint8Array, start: number, length: number, room: Uint8Array): Packet {
  const id = bytes[start + 4]!;
  const instruction = bytes[start + headerBytes]!;
  const body = bytes.subarray(start + headerBytes + 1, start + length - crcBytes);
  const isFast = id === broadcastId && instruction === instructions.status;
  let to = 0;
  for (let from = 0; from < body.length; from++) {
    const byte = body[from]!;
    room[to++] = byte;
    const isHeader = byte === 0xfd && to >= 3 && room[to - 2] === 0xff && room[to - 3] === 0xff;
    if (isHeader && !isFast && body[from + 1] === stuffing) from++;
  }
  return { id, instruction, parameters: room.subarray(0, to) };
}
