/**
 * Packets out of a stream of bytes, however it is cut, whatever is in it. Never throws, never grows. What looks like a packet and is none
 * costs its first byte: the next good one is found even inside it.
 */
import { crc16 } from './crc16.js';
import {
  broadcastId,
  crcBytes,
  headerBytes,
  instructions,
  maxPacketBytes,
  numberAt,
  type Packet,
  unstuff,
} from './packet.js';

const header = [0xff, 0xff, 0xfd, 0x00] as const;
/** Instruction and CRC. */
const shortest = 1 + crcBytes;

export class PacketReader {
  readonly #bytes = new Uint8Array(maxPacketBytes);
  readonly #body = new Uint8Array(maxPacketBytes);
  readonly #receive: (packet: Packet) => void;
  #length = 0;
  #lost = false;
  /** Runs of bytes between packets that belong to none. */
  badFormat = 0;
  badChecksum = 0;

  /** @param receive gets each good packet; its parameters are valid only during the call */
  constructor(receive: (packet: Packet) => void) {
    this.#receive = receive;
  }

  /** Forgets half a packet: what comes next begins anew. */
  reset(): void {
    if (this.#length > 0) this.#skip();
    this.#length = 0;
    this.#lost = false;
  }

  push(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; ) {
      const piece = chunk.subarray(from, from + maxPacketBytes - this.#length);
      this.#bytes.set(piece, this.#length);
      this.#length += piece.length;
      from += piece.length;
      this.#scan();
    }
  }

  /** Takes out all that is decided; what is left is the beginning of a packet, and shorter than the longest. */
  #scan(): void {
    let at = 0;
    while (at < this.#length) {
      const size = this.#packetAt(at);
      if (size === 'more') break;
      if (size === 'none') this.#skip();
      else this.#lost = false;
      at += size === 'none' ? 1 : size;
    }
    this.#bytes.copyWithin(0, at, this.#length);
    this.#length -= at;
  }

  #skip(): void {
    if (!this.#lost) this.badFormat++;
    this.#lost = true;
  }

  #packetAt(at: number): number | 'more' | 'none' {
    const left = this.#length - at;
    for (let i = 0; i < header.length && i < left; i++) if (this.#bytes[at + i] !== header[i]) return 'none';
    if (left < headerBytes) return 'more';
    const length = numberAt(this.#bytes, at + headerBytes - 2, 2);
    const size = headerBytes + length;
    if (length < shortest || size > maxPacketBytes) return 'none';
    if (left < size) return 'more';
    const packet = this.#bytes.subarray(at, at + size - crcBytes);
    if (crc16(packet) !== numberAt(this.#bytes, at + size - crcBytes, crcBytes)) {
      this.badChecksum++;
      this.#lost = true;
      return 'none';
    }
    const id = packet[4]!;
    const body = this.#body.subarray(0, packet.length - headerBytes);
    body.set(packet.subarray(headerBytes));
    const instruction = body[0]!;
    const isFast = id === broadcastId && instruction === instructions.status;
    const end = isFast ? body.length : unstuff(body);
    this.#receive({ id, instruction, parameters: body.subarray(1, end) });
    return size;
  }
}
