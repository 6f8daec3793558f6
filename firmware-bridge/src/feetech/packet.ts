/**
 * Packets of Feetech's STS and SMS servos ("FT-SCS protocol"), byte for byte: little-endian, no escaping, a sum of eight bits at the end.
 *
 *     request  FF FF id length instruction parameters… sum      length = parameters + 2
 *     reply    FF FF id length status      parameters… sum      sum = ~(id + length + … + last parameter)
 *
 * A request and a reply look alike. A servo whose supply voltage is out of its limits answers a ping with the very bytes of the ping, so
 * whoever wants to know who is there reads a register instead.
 */
import type { ReplyReader } from '../half-duplex-port.js';

export const instruction = {
  ping: 0x01,
  read: 0x02,
  write: 0x03,
  regWrite: 0x04,
  action: 0x05,
  reboot: 0x08,
  reset: 0x0a,
  calibrate: 0x0b,
  syncRead: 0x82,
  syncWrite: 0x83,
} as const;

/** Every servo takes it, none replies (but to a ping). */
export const broadcastId = 0xfe;
const header = 0xff;
/** Header, id, length; the sum is counted by the length. */
const headBytes = 4;
/** Of a packet without parameters. */
export const emptyPacketBytes = 6;
const minLength = 2;

/** What the bits of a status say. */
export const statusBits = [
  { bit: 0, words: 'its supply voltage is out of its limits' },
  { bit: 1, words: 'its position sensor fails' },
  { bit: 2, words: 'it is too hot' },
  { bit: 3, words: 'its current is too high' },
  { bit: 5, words: 'it is overloaded' },
] as const;

/** A status in words; empty where nothing is wrong. */
export function statusWords(status: number): string {
  const words: string[] = statusBits.filter(({ bit }) => (status & (1 << bit)) !== 0).map(({ words }) => words);
  const unknown = statusBits.reduce((rest, { bit }) => rest & ~(1 << bit), status);
  if (unknown !== 0) words.push(`it reports status bits 0x${unknown.toString(16)} that its manual does not know`);
  return words.join(', ');
}

function sumOf(buffer: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += buffer[i]!;
  return ~sum & 0xff;
}

/** @param code an instruction, or the status of a reply */
export function encodePacket(id: number, code: number, parameters: ArrayLike<number> = []): Uint8Array {
  const packet = new Uint8Array(emptyPacketBytes + parameters.length);
  packet[0] = header;
  packet[1] = header;
  packet[2] = id;
  packet[3] = parameters.length + minLength;
  packet[4] = code;
  packet.set(parameters, emptyPacketBytes - 1);
  packet[packet.length - 1] = sumOf(packet, 2, packet.length - 1);
  return packet;
}

/**
 * Whether a packet begins at `start`.
 *
 * @returns its length; 0 where more bytes must come to tell; −1 where none begins here, or its sum is wrong
 */
export function packetLength(buffer: Uint8Array, start: number, end: number): number {
  const there = end - start;
  if (buffer[start] !== header || (there > 1 && buffer[start + 1] !== header)) return -1;
  if (there > 2 && buffer[start + 2]! > broadcastId) return -1;
  if (there < headBytes) return 0;
  const length = buffer[start + 3]!;
  if (length < minLength) return -1;
  const total = headBytes + length;
  if (there < total) return 0;
  return sumOf(buffer, start + 2, start + total - 1) === buffer[start + total - 1] ? total : -1;
}

export const encodePing = (id: number): Uint8Array => encodePacket(id, instruction.ping);

export const encodeRead = (id: number, address: number, bytes: number): Uint8Array =>
  encodePacket(id, instruction.read, [address, bytes]);

export const encodeWrite = (id: number, address: number, data: ArrayLike<number>): Uint8Array =>
  encodePacket(id, instruction.write, [address, ...Array.from(data)]);

/** Kept until an action tells all of them to begin. */
export const encodeRegWrite = (id: number, address: number, data: ArrayLike<number>): Uint8Array =>
  encodePacket(id, instruction.regWrite, [address, ...Array.from(data)]);

export const encodeAction = (): Uint8Array => encodePacket(broadcastId, instruction.action);

/** The same registers of several servos, which answer in the order of `ids`. */
export const encodeSyncRead = (ids: readonly number[], address: number, bytes: number): Uint8Array =>
  encodePacket(broadcastId, instruction.syncRead, [address, bytes, ...ids]);

/** @param data [ids × bytes] what each gets, one after the other */
export function encodeSyncWrite(
  ids: readonly number[],
  address: number,
  bytes: number,
  data: ArrayLike<number>,
): Uint8Array {
  const parameters = new Uint8Array(2 + ids.length * (1 + bytes));
  parameters[0] = address;
  parameters[1] = bytes;
  for (let i = 0, at = 2; i < ids.length; i++) {
    parameters[at++] = ids[i]!;
    for (let k = 0; k < bytes; k++) parameters[at++] = data[i * bytes + k]!;
  }
  return encodePacket(broadcastId, instruction.syncWrite, parameters);
}

/** Bytes on the wire of a sync read and its replies. */
export const syncReadBytes = (servos: number, bytes: number): number =>
  emptyPacketBytes + 2 + servos + servos * (emptyPacketBytes + bytes);

/** Bytes on the wire of a sync write, which nobody replies to. */
export const syncWriteBytes = (servos: number, bytes: number): number => emptyPacketBytes + 2 + servos * (1 + bytes);

/** The replies of some servos to one request; lives as long as the link and is filled anew by each. */
export class StatusReplies implements ReplyReader {
  readonly #ids: readonly number[];
  /** [ids] whether its reply is still due. */
  readonly due: Uint8Array;
  /** [ids] status of its last reply. */
  readonly status: Uint8Array;
  #bytes = 0;
  #data: Uint8Array = new Uint8Array(0);

  constructor(ids: readonly number[]) {
    this.#ids = ids;
    this.due = new Uint8Array(ids.length);
    this.status = new Uint8Array(ids.length);
  }

  /**
   * From now on replies with `bytes` of data each, into `data`.
   *
   * @param data [ids × bytes]; what a servo does not answer stays as it is
   */
  expect(bytes: number, data: Uint8Array): void {
    this.#bytes = bytes;
    this.#data = data;
    this.due.fill(0);
  }

  take(buffer: Uint8Array, start: number, end: number): number {
    // Another length than the one that is due is none of ours: a byte of garbage never makes us wait for 255 more.
    if (end - start >= headBytes && buffer[start + 3] !== this.#bytes + minLength) return -1;
    const length = packetLength(buffer, start, end);
    if (length <= 0) return length;
    const i = this.#ids.indexOf(buffer[start + 2]!);
    if (i < 0 || this.due[i] === 0) return -1;
    this.due[i] = 0;
    this.status[i] = buffer[start + 4]!;
    for (let k = 0; k < this.#bytes; k++) this.#data[i * this.#bytes + k] = buffer[start + emptyPacketBytes - 1 + k]!;
    return length;
  }
}

/** Packets out of a stream, however it is cut and whatever else is in it. Never throws, never grows, and finds the next good one. */
export class PacketReader {
  readonly #buffer = new Uint8Array(headBytes + 255);
  readonly #receive: (packet: Uint8Array) => void;
  #end = 0;

  /** @param receive gets each whole packet; the bytes are valid only during the call */
  constructor(receive: (packet: Uint8Array) => void) {
    this.#receive = receive;
  }

  push(byte: number): void {
    this.#buffer[this.#end++] = byte;
    let start = 0;
    while (start < this.#end) {
      const length = packetLength(this.#buffer, start, this.#end);
      if (length === 0) break;
      if (length > 0) this.#receive(this.#buffer.subarray(start, start + length));
      start += Math.max(1, length);
    }
    // Whoever got a packet may have cleared the rest.
    const left = Math.max(0, this.#end - start);
    this.#buffer.copyWithin(0, start, start + left);
    this.#end = left;
  }

  /** Forgets half a packet. */
  clear(): void {
    this.#end = 0;
  }
}
