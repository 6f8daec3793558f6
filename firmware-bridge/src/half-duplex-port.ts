/**
 * Questions and answers on a bus where one pair of wires carries both directions and only the host begins: send a request, await the
 * replies that are due, of one servo or of several. What protocol it is, a {@link ReplyReader} knows.
 *
 * What else may be in the stream, it drops: the host's own bytes where the adapter hears itself, garbage, and replies to an older request
 * that came too late. No frame of these protocols says to which request it belongs, so two rules keep old ones out: what lies there when a
 * request begins is no reply to it, nor is what comes in before the request can have left the wire.
 */
import { wireUs } from '@sim2servo/models/bus-cycle';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { ByteStream } from './byte-stream.js';

export interface ReplyReader {
  /**
   * Looks for one of the replies that are due at the beginning of `buffer[start, end)`, and takes it in. The bytes are valid only during
   * the call.
   *
   * @returns its length; 0 where more bytes must come to tell; −1 where none begins here
   */
  take(buffer: Uint8Array, start: number, end: number): number;
}

/** Several times the longest packet of these protocols. */
const bufferBytes = 4096;
/** Clocks of host and servo differ by a few percent; nothing comes much before its time. */
const wireShare = 0.9;

export class HalfDuplexPort {
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #baudRate: number;
  readonly #buffer = new Uint8Array(bufferBytes);
  #start = 0;
  #end = 0;
  #reader: ReplyReader | undefined;
  #due = 0;
  #sent: Uint8Array = new Uint8Array(0);
  #echoDue = false;
  #leftUs = 0;
  #inGarbage = false;
  #closed: KitError | undefined;
  #wake: (() => void) | undefined;
  /** Bytes that came, whatever they were. */
  bytes = 0;
  /** Packets of ours that came back. */
  echoes = 0;
  /** Runs of bytes that were neither an echo nor a reply that was due. */
  strays = 0;
  /** Replies that were due and did not come in time, or came damaged. */
  lostReplies = 0;

  constructor(stream: ByteStream, clock: Clock, baudRate: number) {
    this.#stream = stream;
    this.#clock = clock;
    this.#baudRate = baudRate;
    stream.onData(chunk => this.#receive(chunk));
    stream.onClose(reason => {
      this.#closed = new KitError(
        'E_PORT_CLOSED',
        `the port has gone${reason === undefined ? '' : `: ${reason.message}`}`,
        'check the cable',
        'noDevice',
      );
      this.#wake?.();
    });
  }

  /** Sends a packet that nobody replies to. Never waits. The port keeps the bytes: give it new ones each time, or the same for ever. */
  send(packet: Uint8Array): void {
    this.checkOpen();
    if (this.#reader !== undefined)
      throw new KitError(
        'E_BUS_BUSY',
        'a packet was sent while replies to another were awaited',
        'await the replies first',
        'bug',
      );
    this.#scan();
    if (this.#end > this.#start) this.#stray(this.#end - this.#start);
    this.#inGarbage = false;
    this.#sent = packet;
    this.#echoDue = true;
    this.#leftUs = this.#clock.nowUs() + wireShare * wireUs(packet.length, this.#baudRate);
    this.#stream.write(packet);
  }

  /**
   * Sends `request` and awaits `due` replies, at most `timeoutUs`. One at a time.
   *
   * @returns how many of them did not come
   * @throws KitError E_PORT_CLOSED, E_BUS_BUSY
   */
  async request(request: Uint8Array, reader: ReplyReader, due: number, timeoutUs: number): Promise<number> {
    this.send(request);
    this.#reader = reader;
    this.#due = due;
    const until = this.#clock.nowUs() + timeoutUs;
    while (this.#due > 0 && this.#closed === undefined && this.#clock.nowUs() < until) {
      const event = new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      await this.#clock.waitUntil(until, event);
    }
    this.#reader = undefined;
    this.checkOpen();
    this.lostReplies += this.#due;
    return this.#due;
  }

  /**
   * One reply, asked for up to `tries` times. Where the first was not enough, replies to the others may still be on their way, and would pass
   * for the one to whatever is asked next: as long as one may take nothing else is asked.
   *
   * @returns whether it came
   * @throws  KitError E_PORT_CLOSED, E_BUS_BUSY
   */
  async insist(request: Uint8Array, reader: ReplyReader, timeoutUs: number, tries: number): Promise<boolean> {
    for (let i = 0; i < tries; i++) {
      if ((await this.request(request, reader, 1, timeoutUs)) > 0) continue;
      if (i > 0) await this.#clock.waitUntil(this.#clock.nowUs() + timeoutUs);
      return true;
    }
    return false;
  }

  checkOpen(): void {
    if (this.#closed !== undefined) throw this.#closed;
  }

  close(): Promise<void> {
    return this.#stream.close();
  }

  #receive(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    // Nobody asked for this much: what does not fit is no reply.
    const kept = Math.min(chunk.length, bufferBytes - this.#end);
    this.#buffer.set(kept === chunk.length ? chunk : chunk.subarray(0, kept), this.#end);
    this.#end += kept;
    this.#scan();
    if (this.#end === bufferBytes) this.#stray(bufferBytes - this.#start);
    if (this.#due === 0) this.#wake?.();
  }

  #scan(): void {
    while (this.#start < this.#end) {
      const echo = this.#echoDue ? this.#echo() : -1;
      if (echo === 0) return;
      if (echo > 0) {
        this.#echoDue = false;
        this.echoes++;
        this.#start += echo;
        continue;
      }
      const reader = this.#due > 0 && this.#clock.nowUs() >= this.#leftUs ? this.#reader : undefined;
      const taken = reader?.take(this.#buffer, this.#start, this.#end) ?? -1;
      if (taken === 0) return;
      if (taken < 0) {
        this.#stray(1);
        continue;
      }
      this.#inGarbage = false;
      this.#start += taken;
      this.#due--;
    }
  }

  /** Whether what we sent last begins here: its length, 0 where more bytes must come to tell, −1. */
  #echo(): number {
    const sent = this.#sent;
    const there = Math.min(sent.length, this.#end - this.#start);
    for (let i = 0; i < there; i++) if (this.#buffer[this.#start + i] !== sent[i]) return -1;
    return there === sent.length ? there : 0;
  }

  #stray(bytes: number): void {
    this.#start += bytes;
    if (!this.#inGarbage) this.strays++;
    this.#inGarbage = true;
  }
}
