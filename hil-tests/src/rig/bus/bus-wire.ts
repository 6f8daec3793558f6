/**
 * One pair of wires, both directions, at the baud rate of the host: servos of another rate hear nothing of it. Every byte takes its time,
 * servos answer one after the other, and who speaks while somebody else does spoils both. The line rests at 1 and anybody can pull it to 0, so bytes that collide become their AND:
 * two servos of one id that say the same are heard as one, and are heard as garbage where they differ.
 */
import { wireUs } from '@sim2servo/models/bus-cycle';
import type { Answer, BusServo } from './bus-servo.js';

interface TimedByte {
  byte: number;
  /** When it is whole. */
  readonly endUs: number;
}

export class BusWire {
  readonly #servos: readonly BusServo[];
  /** Of the host, from now on: what is on its way keeps the one that it was sent at. */
  baudRate: number;
  #fromHost: (TimedByte & { readonly baudRate: number })[] = [];
  #toHost: TimedByte[] = [];
  /** When the last byte of the host has left. */
  #hostFreeUs = 0;
  /** Of bytes that collided. */
  collisions = 0;
  /** Whether the adapter hears what it sends. */
  echo = false;
  /** A hand on what a servo says: undefined where nothing of it is to reach the wire. */
  tamper: (answer: Answer, servo: number) => Answer | undefined = answer => answer;

  constructor(servos: readonly BusServo[], baudRate: number) {
    this.#servos = servos;
    this.baudRate = baudRate;
  }

  get #byteUs(): number {
    return wireUs(1, this.baudRate);
  }

  /** Bytes of the host from `timeUs` on, or as soon as those before them have left. */
  send(bytes: Uint8Array, timeUs: number): void {
    let endUs = Math.max(timeUs, this.#hostFreeUs);
    for (const byte of bytes) {
      const startUs = endUs;
      endUs += this.#byteUs;
      this.#fromHost.push({ byte: this.#collide(byte, startUs, endUs), endUs, baudRate: this.baudRate });
    }
    this.#hostFreeUs = endUs;
  }

  /** Bytes that were on their way to the host at that time spoil this one, and it them. */
  #collide(byte: number, startUs: number, endUs: number): number {
    let heard = byte;
    for (const other of this.#toHost) {
      if (other.endUs <= startUs || other.endUs - this.#byteUs >= endUs) continue;
      heard &= other.byte;
      other.byte &= byte;
      this.collisions++;
    }
    return heard;
  }

  /** When the servos hear the next byte; ∞ where none is on its way. */
  get nextHeardUs(): number {
    return this.#fromHost[0]?.endUs ?? Number.POSITIVE_INFINITY;
  }

  hearNext(): void {
    const heard = this.#fromHost.shift();
    if (heard === undefined) return;
    const { byte, endUs, baudRate } = heard;
    if (this.echo) this.#toHost.push({ byte, endUs });
    const answers: Answer[] = [];
    for (const [i, servo] of this.#servos.entries()) {
      const answer = servo.baudRate === baudRate ? servo.hear(byte, endUs) : undefined;
      const said = answer && this.tamper(answer, i);
      if (said !== undefined) answers.push(said);
    }
    if (answers.length > 0) this.#answer(answers, endUs);
  }

  /** One turn after the other; a servo that keeps silent costs the time of its turn. */
  #answer(answers: readonly Answer[], requestEndUs: number): void {
    let freeUs = requestEndUs;
    let before: Uint8Array = new Uint8Array(0);
    let turn = 0;
    for (const answer of [...answers].sort((a, b) => a.turn - b.turn)) {
      const sameTurn = answer.turn === turn - 1;
      if (!sameTurn) freeUs += (answer.turn - turn) * (answer.delayUs + answer.length * this.#byteUs);
      const startUs = sameTurn ? this.#turnStartUs : freeUs + answer.delayUs;
      this.#turnStartUs = startUs;
      const bytes = answer.bytes(before);
      before = Uint8Array.of(...before, ...bytes);
      for (const [i, byte] of bytes.entries()) this.#speak(byte, startUs + (i + 1) * this.#byteUs);
      freeUs = Math.max(freeUs, startUs + bytes.length * this.#byteUs);
      turn = answer.turn + 1;
    }
    this.#toHost.sort((a, b) => a.endUs - b.endUs);
  }

  #turnStartUs = 0;

  #speak(byte: number, endUs: number): void {
    const other = this.#toHost.find(there => Math.abs(there.endUs - endUs) < this.#byteUs / 2);
    if (other === undefined) {
      this.#toHost.push({ byte, endUs });
      return;
    }
    if (other.byte !== byte) this.collisions++;
    other.byte &= byte;
  }

  /** What has reached the host at `timeUs`. */
  take(timeUs: number): Uint8Array {
    const count = this.#toHost.findIndex(byte => byte.endUs > timeUs);
    const taken = this.#toHost.splice(0, count < 0 ? this.#toHost.length : count);
    return taken.length === 0 ? none : Uint8Array.from(taken, ({ byte }) => byte);
  }

  /** When the next byte reaches the host; ∞ where none is on its way. */
  get nextToHostUs(): number {
    return this.#toHost[0]?.endUs ?? Number.POSITIVE_INFINITY;
  }
}

const none = new Uint8Array(0);
