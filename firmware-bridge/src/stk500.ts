/**
 * The conversation with an Arduino's bootloader: STK500 version 1 (Atmel AVR061), as far as Optiboot and the older ATmegaBOOT speak it.
 *
 * Every request ends with a space; every answer is 14h, the data asked for, 10h. A bootloader that heard nonsense answers 15h or not at
 * all, and after a second of silence it starts the program that is there.
 */
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { ByteStream } from './byte-stream.js';

const endOfRequest = 0x20;
const inSync = 0x14;
const ok = 0x10;
const command = {
  getSync: 0x30,
  enterProgramming: 0x50,
  leaveProgramming: 0x51,
  loadAddress: 0x55,
  programPage: 0x64,
  readPage: 0x74,
  readSignature: 0x75,
} as const;
const flashMemory = 0x46; // 'F'

/** The bootloader flashes its lamp for up to 0.3 s after the reset, then listens for one. */
const syncTries = 20;
const syncEveryUs = 100_000;
/** Long enough for the last of several answers to come in, so that none is taken for that of the next request. */
const quietUs = 50_000;
/** A page takes 4.5 ms to write and 12 ms to come over at 115 200 baud. */
const answerTimeoutUs = 1_000_000;

export class Stk500 {
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #received: number[] = [];
  #closed: KitError | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: ByteStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.onData(chunk => {
      this.#received.push(...chunk);
      this.#wake?.();
    });
    stream.onClose(reason => {
      this.#closed = new KitError(
        'E_PORT_CLOSED',
        `the port has gone${reason === undefined ? '' : `: ${reason.message}`}`,
        'check the cable and flash again: the bootloader itself is never overwritten',
        'noDevice',
      );
      this.#wake?.();
    });
  }

  /** Until the bootloader answers, however much else was on the line before the reset. */
  async synchronise(): Promise<void> {
    for (let attempt = 0; attempt < syncTries; attempt++) {
      this.#received.length = 0;
      this.#send([command.getSync]);
      const answered = () => this.#received.at(-2) === inSync && this.#received.at(-1) === ok;
      if (!(await this.#wait(syncEveryUs, answered))) continue;
      await this.#wait(quietUs, () => false);
      this.#received.length = 0;
      return;
    }
    throw new KitError(
      'E_NO_BOOTLOADER',
      `no bootloader answers: it was asked ${syncTries} times in ${(syncTries * syncEveryUs) / 1e6} s`,
      'check that the port is an Uno or Nano; a Nano with the old bootloader needs --baud 57600; press its reset button while this runs',
      'noDevice',
    );
  }

  /** Three bytes that name the part. */
  readSignature(): Promise<Uint8Array> {
    return this.#request('its signature', [command.readSignature], 3);
  }

  async enterProgramming(): Promise<void> {
    await this.#request('programming mode', [command.enterProgramming]);
  }

  /** Starts the program. */
  async leaveProgramming(): Promise<void> {
    await this.#request('the end of programming', [command.leaveProgramming]);
  }

  async writePage(address: number, page: Uint8Array): Promise<void> {
    await this.#loadAddress(address);
    await this.#request(hex('writing', address), [
      command.programPage,
      page.length >> 8,
      page.length & 255,
      flashMemory,
      ...page,
    ]);
  }

  async readPage(address: number, length: number): Promise<Uint8Array> {
    await this.#loadAddress(address);
    return this.#request(hex('reading', address), [command.readPage, length >> 8, length & 255, flashMemory], length);
  }

  /** Addresses count words of two bytes. */
  async #loadAddress(address: number): Promise<void> {
    const word = address >> 1;
    await this.#request(hex('address', address), [command.loadAddress, word & 255, word >> 8]);
  }

  #send(request: readonly number[]): void {
    if (this.#closed !== undefined) throw this.#closed;
    this.#stream.write(Uint8Array.of(...request, endOfRequest));
  }

  async #request(what: string, request: readonly number[], replyBytes = 0): Promise<Uint8Array> {
    this.#received.length = 0;
    this.#send(request);
    const whole = await this.#wait(answerTimeoutUs, () => this.#received.length >= replyBytes + 2);
    const answer = Uint8Array.from(this.#received);
    if (whole && answer.length === replyBytes + 2 && answer[0] === inSync && answer.at(-1) === ok)
      return answer.subarray(1, -1);
    const said = answer.length === 0 ? 'nothing' : Buffer.from(answer.subarray(0, 8)).toString('hex');
    throw new KitError(
      'E_FLASH_REFUSED',
      `${what}: the bootloader answered ${said}`,
      'flash again; the bootloader itself is never overwritten',
      'failed',
    );
  }

  async #wait(timeoutUs: number, done: () => boolean): Promise<boolean> {
    const until = this.#clock.nowUs() + timeoutUs;
    while (!done()) {
      if (this.#closed !== undefined) throw this.#closed;
      if (this.#clock.nowUs() >= until) return false;
      await this.#clock.waitUntil(
        until,
        new Promise<void>(resolve => {
          this.#wake = resolve;
        }),
      );
    }
    return true;
  }
}

function hex(what: string, address: number): string {
  return `${what} 0x${address.toString(16).padStart(4, '0')}`;
}
