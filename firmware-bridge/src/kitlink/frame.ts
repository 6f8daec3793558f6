/**
 * A frame of the link: `COBS(version u8, type u8, session u32, sequence u32, time u32, payload, CRC-32) 00`, little-endian.
 *
 * The CRC is over everything before it. `docs/link-protocol.md` is the definition; `firmware/wire.h` the other end.
 */
import { cobsEncode, cobsSize } from './cobs.js';
import { crc32 } from './crc32.js';

export const protocolVersion = 1;
export const headerBytes = 14;
export const crcBytes = 4;
/** Decoded, with its CRC: what a receiver must hold. */
export const maxFrameBytes = 128;
export const maxPayloadBytes = maxFrameBytes - headerBytes - crcBytes;

export interface Frame {
  readonly version: number;
  readonly type: number;
  readonly session: number;
  readonly sequence: number;
  /** The sender's clock in µs, modulo 2³². */
  readonly timeUs: number;
  readonly payload: Uint8Array;
}

/** The bytes of a frame before COBS, with CRC. */
export function packFrame(frame: Frame): Uint8Array {
  if (frame.payload.length > maxPayloadBytes)
    throw new RangeError(`a payload of ${frame.payload.length} bytes: at most ${maxPayloadBytes} fit`);
  const bytes = new Uint8Array(headerBytes + frame.payload.length + crcBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, frame.version);
  view.setUint8(1, frame.type);
  view.setUint32(2, frame.session, true);
  view.setUint32(6, frame.sequence, true);
  view.setUint32(10, frame.timeUs, true);
  bytes.set(frame.payload, headerBytes);
  view.setUint32(bytes.length - crcBytes, crc32(bytes.subarray(0, bytes.length - crcBytes)), true);
  return bytes;
}

/** As it goes over the wire, with its delimiter. */
export function encodeFrame(frame: Frame): Uint8Array {
  const packed = packFrame(frame);
  const wire = new Uint8Array(cobsSize(packed.length) + 1);
  return wire.subarray(0, cobsEncode(packed, wire) + 1);
}

export type FrameFault = 'badFormat' | 'badChecksum';

/** The inverse of {@link packFrame}. The payload is a view of `bytes`. */
export function unpackFrame(bytes: Uint8Array): Frame | FrameFault {
  if (bytes.length < headerBytes + crcBytes) return 'badFormat';
  const end = bytes.length - crcBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(end, true) !== crc32(bytes.subarray(0, end))) return 'badChecksum';
  return {
    version: view.getUint8(0),
    type: view.getUint8(1),
    session: view.getUint32(2, true),
    sequence: view.getUint32(6, true),
    timeUs: view.getUint32(10, true),
    payload: bytes.subarray(headerBytes, end),
  };
}
