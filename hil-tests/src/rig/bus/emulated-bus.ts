/** Servos on a wire with the arm that they turn: bytes in, bytes out, physics between, all on one clock. */
import type { EmulatedDevice } from '../emulated-device.js';
import type { BusServo } from './bus-servo.js';
import { BusWire } from './bus-wire.js';
import type { Mechanics } from './mechanics.js';

export class EmulatedBus<Servo extends BusServo = BusServo> implements EmulatedDevice {
  readonly servos: readonly Servo[];
  readonly wire: BusWire;
  readonly mechanics: Mechanics;
  readonly #targets: Float64Array;
  readonly #stepUs: number;
  /** After each step of physics. */
  stepped: (timeUs: number) => void = () => {};
  #steps = 0;
  #nowUs = 0;

  /** @param servos in the order of the joints of `mechanics` */
  constructor(servos: readonly Servo[], mechanics: Mechanics, baudRate: number) {
    this.servos = servos;
    this.mechanics = mechanics;
    this.wire = new BusWire(servos, baudRate);
    this.#targets = new Float64Array(servos.length);
    this.#stepUs = mechanics.stepS * 1e6;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  /** An adapter is no board: nothing resets. */
  portOpened(): void {}

  receive(bytes: Uint8Array, timeUs: number): void {
    this.wire.send(bytes, Math.max(timeUs, this.#nowUs));
  }

  runUntil(timeUs: number): Uint8Array {
    for (;;) {
      const stepUs = (this.#steps + 1) * this.#stepUs;
      const heardUs = this.wire.nextHeardUs;
      if (Math.min(stepUs, heardUs) > timeUs) break;
      if (heardUs <= stepUs) this.wire.hearNext();
      else this.#step();
    }
    this.#nowUs = Math.max(this.#nowUs, timeUs);
    return this.wire.take(timeUs);
  }

  #step(): void {
    this.#steps++;
    for (const [i, servo] of this.servos.entries()) this.#targets[i] = servo.step(this.mechanics.stepS);
    this.mechanics.step(this.#targets);
    this.stepped(this.#steps * this.#stepUs);
  }

  dispose(): void {
    this.mechanics.dispose();
  }
}
