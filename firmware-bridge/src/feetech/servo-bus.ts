/** The servos of one robot on a Feetech bus: the same registers of all of them read or written at once. It knows nothing of joints. */
import { wireUs } from '@sim2servo/models/bus-cycle';
import type { Clock } from '@sim2servo/models/clock';
import type { ByteStream } from '../byte-stream.js';
import { HalfDuplexPort } from '../half-duplex-port.js';
import { encodeRead, encodeSyncRead, encodeSyncWrite, encodeWrite, StatusReplies, syncReadBytes } from './packet.js';
import { returnDelayUs, sts3215 } from './registers.js';

/** Beside the time on the wire: USB adapters pass bytes on once a millisecond, badly set ones every 16. */
const adapterUs = 20_000;
/** The same where a tick waits: what is later than this is asked for again. */
const pollUs = 5_000;
/** What adapter and system add to the time on the wire where nothing is wrong. */
const overheadUs = 300;
const tries = 3;

/** A block of registers that is read of every servo again and again; its request is made once. */
export interface Block {
  readonly address: number;
  readonly bytes: number;
  readonly request: Uint8Array;
  /** [servos × bytes] as they were last read. */
  readonly data: Uint8Array;
}

export class ServoBus {
  readonly #clock: Clock;
  readonly #ids: readonly number[];
  readonly baudRate: number;
  readonly #replies: StatusReplies;
  readonly port: HalfDuplexPort;
  /** Of all servos together; as they leave the factory until somebody knows better. */
  returnDelayUs: number;
  /** When the last request of {@link poll} had left the wire, and the time from its sending to its last reply. */
  askedUs = 0;
  roundTripUs = Number.NaN;

  constructor(stream: ByteStream, clock: Clock, baudRate: number, ids: readonly number[]) {
    this.#clock = clock;
    this.#ids = ids;
    this.baudRate = baudRate;
    this.returnDelayUs = ids.length * sts3215.returnDelay.initial * returnDelayUs;
    this.#replies = new StatusReplies(ids);
    this.port = new HalfDuplexPort(stream, clock, baudRate);
  }

  /** [servos] status of each one's last reply. */
  get status(): Uint8Array {
    return this.#replies.status;
  }

  /** [servos] 1 where a reply to the last request has not come. */
  get due(): Uint8Array {
    return this.#replies.due;
  }

  block(address: number, bytes: number): Block {
    const request = encodeSyncRead(this.#ids, address, bytes);
    return { address, bytes, request, data: new Uint8Array(this.#ids.length * bytes) };
  }

  /** Wire time of reading a block of `servos` servos. */
  #readUs(servos: number, bytes: number): number {
    const returnDelayUs = (this.returnDelayUs * servos) / this.#ids.length;
    return wireUs(syncReadBytes(servos, bytes), this.baudRate) + returnDelayUs;
  }

  /** How long reading a block of `servos` servos takes where nothing is wrong. */
  usualUs(servos: number, { bytes }: Block): number {
    return this.#readUs(servos, bytes) + overheadUs;
  }

  /**
   * Reads a block of every servo, within `timeoutUs`. Servos whose replies are lost are asked again while there is time. Where there is
   * none for a second request, the first one has all of it: asking again while somebody still answers would spoil both.
   *
   * @returns whether all answered
   */
  async poll(block: Block, timeoutUs: number): Promise<boolean> {
    const startUs = this.#clock.nowUs();
    const expectedUs = this.#readUs(this.#ids.length, block.bytes);
    this.#replies.expect(block.bytes, block.data);
    this.#replies.due.fill(1);
    const once = timeoutUs < 2 * this.usualUs(this.#ids.length, block);
    const patienceUs = once ? timeoutUs : Math.min(timeoutUs / 2, 1.5 * expectedUs + pollUs);
    let { request } = block;
    let askedUs = startUs;
    let missing = await this.port.request(request, this.#replies, this.#ids.length, patienceUs);
    for (;;) {
      const nowUs = this.#clock.nowUs();
      const leftUs = startUs + timeoutUs - nowUs;
      if (missing === 0 || leftUs <= this.#readUs(missing, block.bytes)) break;
      const ids = this.#ids.filter((_, i) => this.#replies.due[i] === 1);
      request = encodeSyncRead(ids, block.address, block.bytes);
      askedUs = nowUs;
      missing = await this.port.request(request, this.#replies, missing, Math.min(leftUs, patienceUs));
    }
    if (missing > 0) return false;
    this.askedUs = askedUs + wireUs(request.length, this.baudRate);
    this.roundTripUs = this.#clock.nowUs() - startUs;
    return true;
  }

  /** Reads a block with as much patience as an adapter may need. @returns whether all answered */
  async read(block: Block): Promise<boolean> {
    for (let i = 0; i < tries; i++)
      if (await this.poll(block, 2 * (adapterUs + 2 * this.#readUs(this.#ids.length, block.bytes)))) return true;
    return false;
  }

  /** Reads a block of some of the servos. @returns whether all of them answered */
  async readSome(servos: readonly number[], { address, bytes, data }: Block, timeoutUs: number): Promise<boolean> {
    this.#replies.expect(bytes, data);
    for (const i of servos) this.#replies.due[i] = 1;
    const ids = servos.map(i => this.#ids[i]!);
    return (await this.port.request(encodeSyncRead(ids, address, bytes), this.#replies, ids.length, timeoutUs)) === 0;
  }

  /** One servo's registers by themselves, into `data[servos × bytes]`. @returns whether it answered */
  readOne(servo: number, address: number, bytes: number, data: Uint8Array): Promise<boolean> {
    return this.#ask(servo, encodeRead(this.#ids[servo]!, address, bytes), bytes, data);
  }

  /** @returns whether it confirmed the write */
  writeOne(servo: number, address: number, data: Uint8Array): Promise<boolean> {
    return this.#ask(servo, encodeWrite(this.#ids[servo]!, address, data), 0, none);
  }

  #ask(servo: number, request: Uint8Array, bytes: number, data: Uint8Array): Promise<boolean> {
    this.#replies.expect(bytes, data);
    this.#replies.due[servo] = 1;
    const timeoutUs = adapterUs + 2 * this.#readUs(1, bytes);
    return this.port.insist(request, this.#replies, timeoutUs, tries);
  }

  /** Writes registers of every servo; none of them says that it heard. @param data [servos × bytes] */
  write(address: number, bytes: number, data: Uint8Array): void {
    this.port.send(encodeSyncWrite(this.#ids, address, bytes, data));
  }
}

const none = new Uint8Array(0);
