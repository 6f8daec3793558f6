/**
 * Frames out of a stream of bytes, however it is cut, whatever is in it. Never throws, never grows, and finds the next good frame: a
 * delimiter ends whatever was wrong before it.
 */
import { CobsDecoder } from './cobs.js';
import { type Frame, maxFrameBytes, unpackFrame } from './frame.js';

export class FrameReader {
  readonly #decoder = new CobsDecoder(maxFrameBytes);
  readonly #receive: (frame: Frame) => void;
  /** Frames that were whole and right. */
  frames = 0;
  /** Runs of bytes that are no frame: cut short, too short, too long. */
  badFormat = 0;
  badChecksum = 0;

  /** @param receive gets each good frame; its payload is valid only during the call */
  constructor(receive: (frame: Frame) => void) {
    this.#receive = receive;
  }

  push(chunk: Uint8Array): void {
    for (const byte of chunk) {
      const result = this.#decoder.put(byte);
      if (result === 'more') continue;
      const frame = result === 'bad' ? 'badFormat' : unpackFrame(this.#decoder.bytes.subarray(0, this.#decoder.length));
      if (typeof frame === 'string') {
        this[frame]++;
      } else {
        this.frames++;
        this.#receive(frame);
      }
    }
  }
}
