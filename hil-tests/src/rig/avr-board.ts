/**
 * An Arduino Uno (ATmega328P at 16 MHz) that runs a real firmware image in avr8js: Timer1's pulses on D9 and D10, potentiometers on A0
 * and A1, the serial port with the receiver's true buffers, EEPROM, and the reset that opening the port causes.
 *
 * Time is the chip's: cycles. What the firmware does to the outside is reported with the time at which it did it, so latency is
 * measured on one clock and without the firmware's word for it.
 */
import {
  AVRADC,
  AVREEPROM,
  AVRIOPort,
  AVRTimer,
  AVRUSART,
  adcConfig,
  avrInstruction,
  CPU,
  EEPROMMemoryBackend,
  portBConfig,
  timer0Config,
  timer1Config,
  usart0Config,
} from 'avr8js';
import { ReceiveLine } from './receive-line.js';

export const clockHz = 16_000_000;
export const flashBytes = 32 * 1024;
const ramBytes = 2048;
const eepromBytes = 1024;
const baudRate = 500_000;
const bitsPerCharacter = 10;
const characterCycles = (clockHz / baudRate) * bitsPerCharacter;
const sleepInstruction = 0x9588;
const sleepControl = 0x53;
const sleepEnable = 1;
/** D9 and D10. */
const outputs = [1 << 1, 1 << 2] as const;
export const channels = outputs.length;
/** The bootloader listens for a programmer before it starts the firmware (Optiboot). */
export const bootloaderUs = 500_000;

/** avr8js sees a compare match at the end of an instruction, up to three cycles late; the timer's own pulses are whole ticks of 0.5 µs. */
const inTimerTicks = (widthUs: number): number => Math.round(widthUs * 2) / 2;

export interface BoardEvents {
  /** A byte has left the board. */
  transmit(byte: number): void;
  /** A pulse has ended. */
  pulse(channel: number, riseUs: number, widthUs: number): void;
  /** The firmware wrote a new value to a channel's compare register. */
  register(channel: number, timeUs: number): void;
  /** The converter starts on a channel. @returns 0 … 1023 */
  sample(channel: number, timeUs: number): number;
}

export class AvrBoard {
  readonly #flash: Uint16Array;
  readonly #eeprom = new EEPROMMemoryBackend(eepromBytes);
  readonly #events: BoardEvents;
  readonly #rise: number[] = outputs.map(() => Number.NaN);
  #cpu!: CPU;
  #line!: ReceiveLine;
  /** When the present CPU's cycle 0 was, µs. */
  #originUs = 0;
  #resets = 0;
  #asleep = false;

  /** @param flash program memory, see `parseIntelHex` of firmware-bridge */
  constructor(flash: Uint8Array, events: BoardEvents) {
    this.#flash = new Uint16Array(flash.buffer, flash.byteOffset, flash.length / 2);
    this.#events = events;
    this.#powerUp();
  }

  get #timeUs(): number {
    return this.#originUs + this.#cpu.cycles / (clockHz / 1e6);
  }

  /** How often the reset line was pulled. */
  get resets(): number {
    return this.#resets;
  }

  /** Bytes that the receiver lost to overruns since the last reset. */
  get bytesLost(): number {
    return this.#line.lost;
  }

  /** Bytes from the host at `timeUs`; they arrive one character time after the other. The bootloader swallows what is not for it. */
  receive(bytes: Uint8Array, timeUs: number): void {
    if (timeUs >= this.#originUs) this.#line.send(bytes);
  }

  /** Pulls the reset line, as opening the port does. The firmware starts after the bootloader's pause; EEPROM stays. */
  reset(timeUs: number): void {
    this.#resets++;
    this.#originUs = timeUs + bootloaderUs;
    this.#rise.fill(Number.NaN);
    this.#powerUp();
  }

  #powerUp(): void {
    this.#asleep = false;
    const cpu = new CPU(this.#flash, ramBytes);
    this.#cpu = cpu;
    new AVRTimer(cpu, timer0Config);
    new AVRTimer(cpu, timer1Config);
    new AVREEPROM(cpu, this.#eeprom);
    const usart = new AVRUSART(cpu, usart0Config, clockHz);
    usart.onByteTransmit = byte => cpu.addClockEvent(() => this.#events.transmit(byte), characterCycles);
    this.#line = new ReceiveLine(cpu, usart, characterCycles);
    const adc = new AVRADC(cpu, adcConfig);
    adc.onADCRead = input => {
      const counts = 'channel' in input ? this.#events.sample(input.channel, this.#timeUs) : 0;
      cpu.addClockEvent(() => adc.completeADCRead(counts), adc.sampleCycles);
    };
    new AVRIOPort(cpu, portBConfig).addListener((value, before) => this.#edges(value, before));
    for (const [channel, low] of [timer1Config.OCRA, timer1Config.OCRB].entries()) {
      const write = cpu.writeHooks[low]!;
      cpu.writeHooks[low] = (value, old, address, mask) => {
        this.#events.register(channel, this.#timeUs);
        return write(value, old, address, mask);
      };
    }
  }

  #edges(value: number, before: number): void {
    for (let channel = 0; channel < channels; channel++) {
      const bit = outputs[channel]!;
      if (((value ^ before) & bit) === 0) continue;
      if ((value & bit) !== 0) this.#rise[channel] = this.#timeUs;
      else if (!Number.isNaN(this.#rise[channel]))
        this.#events.pulse(channel, this.#rise[channel]!, inTimerTicks(this.#timeUs - this.#rise[channel]!));
    }
  }

  /** Runs the firmware until `timeUs`. A reset board sits in its bootloader first. */
  runUntil(timeUs: number): void {
    const cpu = this.#cpu;
    const end = (timeUs - this.#originUs) * (clockHz / 1e6);
    while (cpu.cycles < end) {
      if (this.#asleep) {
        const { pc } = cpu;
        if (cpu.nextInterrupt < 0) cpu.cycles = Math.min(end, Math.max(cpu.cycles, nextEventCycles(cpu)));
        cpu.tick();
        this.#asleep = cpu.pc === pc;
      } else if (this.#flash[cpu.pc] === sleepInstruction && (cpu.data[sleepControl]! & sleepEnable) !== 0) {
        // avr8js takes SLEEP for a NOP. In idle mode nothing happens until an interrupt, which then returns behind it.
        cpu.pc++;
        cpu.cycles++;
        this.#asleep = true;
      } else {
        avrInstruction(cpu);
        cpu.tick();
      }
    }
  }
}

/** When the next peripheral has something to do; avr8js keeps it to itself. */
function nextEventCycles(cpu: CPU): number {
  const { nextClockEvent } = cpu as unknown as { readonly nextClockEvent: { readonly cycles: number } | null };
  return nextClockEvent?.cycles ?? Number.POSITIVE_INFINITY;
}
