/**
 * Consistent Overhead Byte Stuffing: a frame without zeros, so that a zero always ends one.
 *
 * Source: Cheshire & Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999. The encoder is canonical
 * (no empty block after 254 bytes at the end); the decoder takes both forms. `firmware/cobs.c` passes the same vectors.
 */

/** Room that `length` bytes need at most, without delimiter. */
export function cobsSize(length: number): number {
  return length + Math.floor(length / 254) + 1;
}

/** Writes into `out` from `at` on and returns where it ended; no delimiter. */
export function cobsEncode(bytes: Uint8Array, out: Uint8Array, at = 0): number {
  let codeAt = at++;
  let code = 1;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte !== 0) {
      out[at++] = byte;
      code++;
    }
    if (byte === 0 || (code === 255 && i + 1 < bytes.length)) {
      out[codeAt] = code;
      codeAt = at++;
      code = 1;
    }
  }
  out[codeAt] = code;
  return at;
}

export type CobsResult = 'more' | 'frame' | 'bad';

/** One byte at a time, never past its buffer. */
export class CobsDecoder {
  /** The frame that a `frame` announced: `bytes[0 … length)`, until the next byte. */
  readonly bytes: Uint8Array;
  length = 0;
  #left = 0;
  #zeroDue = false;
  #overflow = false;
  #any = false;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** `bad`: what a delimiter just ended was cut short or too long. Nothing between two delimiters is nothing, not bad. */
  put(byte: number): CobsResult {
    if (byte === 0) {
      const result = !this.#any ? 'more' : this.#left !== 0 || this.#overflow ? 'bad' : 'frame';
      this.#any = false;
      return result;
    }
    if (!this.#any) {
      this.#any = true;
      this.length = 0;
      this.#left = 0;
      this.#zeroDue = false;
      this.#overflow = false;
    }
    if (this.#left === 0) {
      if (this.#zeroDue) this.#append(0);
      this.#left = byte - 1;
      this.#zeroDue = byte !== 255;
    } else {
      this.#append(byte);
      this.#left--;
    }
    return 'more';
  }

  #append(byte: number): void {
    if (this.length < this.bytes.length) this.bytes[this.length++] = byte;
    else this.#overflow = true;
  }
}
