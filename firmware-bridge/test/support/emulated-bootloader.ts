/** An Uno's bootloader on a port in memory: what Optiboot does with STK500v1, byte by byte, and the mistakes a test asks for. */
import type { Clock } from '@sim2servo/models/clock';
import type { ByteStream } from '../../src/byte-stream.js';
import type { VirtualClock } from './virtual-clock.js';

const page = 128;
/** Bytes that follow each command, the closing space not counted; a page's are counted when its length is known. */
const argumentBytes: Readonly<Record<number, number>> = { 48: 0, 80: 0, 81: 0, 85: 2, 100: 3, 116: 3, 117: 0 };

export class EmulatedBootloader {
  readonly memory = new Uint8Array(32_768).fill(0xff);
  signature = [0x1e, 0x95, 0x0f];
  /** Until then it is deaf: it still blinks. */
  deafUs = 250_000;
  /** How often a page was written. */
  writes = 0;
  runs = false;
  opened = 0;
  closed = 0;
  /** A flash cell that keeps what it has. */
  wornOut: number | undefined;
  /** The page, counted by writes, at which the cable is pulled. */
  unplugAt: number | undefined;
  /** The page, counted by writes, whose answer is missing. */
  forgetAt: number | undefined;
  readonly #clock: VirtualClock & Clock;
  readonly #sinceUs: number;
  #request: number[] = [];
  #word = 0;
  #receive: (chunk: Uint8Array) => void = () => {};
  #close: (reason: Error | undefined) => void = () => {};

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.#sinceUs = clock.nowUs();
  }

  readonly open = async (): Promise<ByteStream> => {
    this.opened++;
    return {
      write: bytes => {
        for (const byte of bytes) this.#take(byte);
      },
      onData: receive => {
        this.#receive = receive;
      },
      onClose: closed => {
        this.#close = closed;
      },
      close: async () => {
        this.closed++;
      },
    };
  };

  /** The program that ran before the reset, or noise: bytes that nobody asked for. */
  chatter(us: number, bytes: readonly number[]): void {
    this.#clock.after(us, () => this.#receive(Uint8Array.from(bytes)));
  }

  #take(byte: number): void {
    if (this.#clock.nowUs() - this.#sinceUs < this.deafUs) return;
    this.#request.push(byte);
    const [code, high, low] = this.#request;
    const fixed = argumentBytes[code!];
    const data = code === 0x64 && low !== undefined ? (high! << 8) | low : 0;
    if (fixed !== undefined && this.#request.length < 1 + fixed + data + 1) return;
    const request = this.#request;
    this.#request = [];
    if (byte === 0x20 && fixed !== undefined) this.#obey(request);
    else this.#answer([0x15]);
  }

  #obey(request: readonly number[]): void {
    const [code, high = 0, low = 0] = request;
    if (code === 0x55) this.#word = high | (low << 8);
    if (code === 0x51) this.runs = true;
    const at = this.#word * 2;
    if (code === 0x64) this.#write(request.slice(4, -1));
    else if (code === 0x74) this.#answer([0x14, ...this.memory.subarray(at, at + ((high << 8) | low)), 0x10]);
    else if (code === 0x75) this.#answer([0x14, ...this.signature, 0x10]);
    else this.#answer([0x14, 0x10]);
  }

  /** Like the part: erased and written by the page, wherever in it the address lies. */
  #write(bytes: readonly number[]): void {
    this.writes++;
    if (this.writes === this.unplugAt) {
      this.#clock.after(1000, () => this.#close(new Error('EIO')));
      return;
    }
    const start = Math.floor((this.#word * 2) / page) * page;
    for (const [i, byte] of bytes.entries()) if (start + i !== this.wornOut) this.memory[start + i] = byte;
    if (this.writes !== this.forgetAt) this.#answer([0x14, 0x10], 4500);
  }

  /** In two pieces, as a USB bridge may deliver it. */
  #answer(bytes: readonly number[], us = 200): void {
    const half = Math.ceil(bytes.length / 2);
    this.#clock.after(us, () => this.#receive(Uint8Array.from(bytes.slice(0, half))));
    if (half < bytes.length) this.#clock.after(us + 500, () => this.#receive(Uint8Array.from(bytes.slice(half))));
  }
}
