/**
 * A port that sends back what it hears: looked at just as the emulated bus looks at its own, so that what a byte takes there and back is what
 * the pseudo-terminal and the rig's napping cost. At once, or after the time that a wire of some baud rate takes there and back.
 */
import { wireUs } from '@sim2servo/models/bus-cycle';
import type { EmulatedDevice } from './emulated-device.js';
import { PseudoTerminal } from './pseudo-terminal.js';
import type { RigServer } from './serve-rig.js';
import { napBesideHost, WallClock, type WallClockReport } from './wall-clock.js';

export type EchoRequest = { readonly kind: 'report' } | { readonly kind: 'stop' };

export interface EchoSetup {
  /** Of the wire; none where the echo comes at once. */
  readonly baudRate?: number;
}

class Echo implements EmulatedDevice {
  nowUs = 0;
  readonly #byteUs: number;
  #said: { readonly byte: number; readonly dueUs: number }[] = [];
  /** When the last byte of the host has left. */
  #hostFreeUs = 0;

  constructor({ baudRate = Number.POSITIVE_INFINITY }: EchoSetup) {
    this.#byteUs = wireUs(1, baudRate);
  }

  portOpened(): void {}

  receive(bytes: Uint8Array, timeUs: number): void {
    this.#hostFreeUs = Math.max(timeUs, this.#hostFreeUs) + bytes.length * this.#byteUs;
    for (const [i, byte] of bytes.entries())
      this.#said.push({ byte, dueUs: this.#hostFreeUs + (i + 1) * this.#byteUs });
  }

  runUntil(timeUs: number): Uint8Array {
    this.nowUs = timeUs;
    const due = this.#said.findIndex(({ dueUs }) => dueUs > timeUs);
    return Uint8Array.from(this.#said.splice(0, due < 0 ? this.#said.length : due), ({ byte }) => byte);
  }
}

export class EchoServer implements RigServer<EchoRequest, WallClockReport> {
  readonly #port: PseudoTerminal;
  readonly #wallClock: WallClock;

  private constructor(setup: EchoSetup, port: PseudoTerminal) {
    this.#port = port;
    const echo = new Echo(setup);
    let lastHostByteUs = Number.NEGATIVE_INFINITY;
    this.#wallClock = new WallClock(echo, port, {
      napMs: () => napBesideHost(echo.nowUs - lastHostByteUs),
      fromHost: (_bytes, timeUs) => {
        lastHostByteUs = timeUs;
      },
    });
  }

  /** @throws KitError E_PTY */
  static async start(this: void, setup: EchoSetup): Promise<EchoServer> {
    return new EchoServer(setup, await PseudoTerminal.open());
  }

  get path(): string {
    return this.#port.path;
  }

  run(): Promise<void> {
    return this.#wallClock.run();
  }

  stop(): void {
    this.#wallClock.stop();
  }

  handle(request: EchoRequest): WallClockReport | undefined {
    if (request.kind === 'report') return this.#wallClock.report();
    this.stop();
    return undefined;
  }
}
