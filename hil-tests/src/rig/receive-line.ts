/**
 * The wire into the USART, and the receiver's buffers as the chip has them (ATmega328P datasheet, 20.7): bytes arrive one character
 * time apart; two wait in a FIFO and one in the shift register; a fourth is lost and sets DOR0 until UDR0 is read. avr8js has one
 * buffer and no overrun, so a program that reads too slowly would look right in it and lose bytes on a board.
 */
import type { AVRUSART, CPU } from 'avr8js';
import { usart0Config } from 'avr8js';

const dataOverrun = 1 << 3;
/** The byte that UDR0 shows, one behind it, and the shift register. */
const buffered = 3;

export class ReceiveLine {
  readonly #cpu: CPU;
  readonly #usart: AVRUSART;
  readonly #characterCycles: number;
  /** On the wire, not yet arrived. */
  readonly #wire: number[] = [];
  /** Arrived, behind the one that UDR0 shows. */
  readonly #waiting: number[] = [];
  /** The byte that UDR0 shows and nobody has read. */
  #shown: number | undefined;
  #moving = false;
  /** Bytes that the receiver lost. */
  lost = 0;

  constructor(cpu: CPU, usart: AVRUSART, characterCycles: number) {
    this.#cpu = cpu;
    this.#usart = usart;
    this.#characterCycles = characterCycles;
    const readData = cpu.readHooks[usart0Config.UDR]!;
    cpu.readHooks[usart0Config.UDR] = address => {
      const byte = readData(address);
      cpu.data[usart0Config.UCSRA]! &= ~dataOverrun;
      this.#shown = undefined;
      this.#show();
      return byte;
    };
    // avr8js drops a pending receive interrupt whenever UCSR0B is written (to start sending, say). The chip keeps RXC0 until UDR0 is read.
    const writeControl = cpu.writeHooks[usart0Config.UCSRB]!;
    cpu.writeHooks[usart0Config.UCSRB] = (...written) => {
      const handled = writeControl(...written);
      if (this.#shown !== undefined) usart.writeByte(this.#shown, true);
      return handled;
    };
  }

  /** Puts bytes on the wire, behind those that still travel. */
  send(bytes: Uint8Array): void {
    for (const byte of bytes) this.#wire.push(byte);
    if (!this.#moving && this.#wire.length > 0) this.#startNext();
  }

  #startNext(): void {
    this.#moving = true;
    this.#cpu.addClockEvent(() => {
      this.#arrive(this.#wire.shift()!);
      if (this.#wire.length > 0) this.#startNext();
      else this.#moving = false;
    }, this.#characterCycles);
  }

  #arrive(byte: number): void {
    if (!this.#usart.rxEnable) return;
    if (this.#waiting.length + (this.#shown === undefined ? 0 : 1) === buffered) {
      this.lost++;
      this.#cpu.data[usart0Config.UCSRA]! |= dataOverrun;
      return;
    }
    this.#waiting.push(byte);
    this.#show();
  }

  #show(): void {
    if (this.#shown !== undefined) return;
    this.#shown = this.#waiting.shift();
    if (this.#shown !== undefined) this.#usart.writeByte(this.#shown, true);
  }
}
