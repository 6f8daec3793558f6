/**
 * Packets out of a stream of bytes, however it is cut, whatever is in it. Never throws, never grows. What looks like a packet and is none
 * costs its first byte: the next good one is found even inside it.
 */
import { decodePacket, maxPacketBytes, type Packet, packetLength } from './packet.js';

export class PacketReader {
  readonly #bytes = new Uint8Array(maxPacketBytes);
  readonly #room = new Uint8Array(maxPacketBytes);
  readonly #receive: (packet: Packet) => void;
  #length = 0;
  #inGarbage = false;
  /** Runs of bytes that belong to no good packet. */
  strays = 0;

  /** @param receive gets each good packet; its parameters are valid only during the call */
  constructor(receive: (packet: Packet) => void) {
    this.#receive = receive;
  }

  /** Forgets half a packet: what comes next begins anew. */
  reset(): void {
    if (this.#length > 0) this.#stray();
    this.#length = 0;
    this.#inGarbage = false;
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
      const length = packetLength(this.#bytes, at, this.#length);
      if (length === 0) break;
      if (length < 0) {
        this.#stray();
        at++;
        continue;
      }
      this.#inGarbage = false;
      this.#receive(decodePacket(this.#bytes, at, length, this.#room));
      at += length;
    }
    this.#bytes.copyWithin(0, at, this.#length);
    this.#length -= at;
  }

  #stray(): void {
    if (!this.#inGarbage) this.strays++;
    this.#inGarbage = true;
  }
}
