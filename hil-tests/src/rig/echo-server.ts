/**
 * A port that sends back what it hears, at once: looked at just as the emulated bus looks at its own, so that what a byte takes there and
 * back is what the pseudo-terminal and the rig's napping cost beside the wire.
 */
import type { EmulatedDevice } from './emulated-device.js';
import { PseudoTerminal } from './pseudo-terminal.js';
import type { RigServer } from './serve-rig.js';
import { napBesideHost, WallClock, type WallClockReport } from './wall-clock.js';

export type EchoRequest = { readonly kind: 'report' } | { readonly kind: 'stop' };

class Echo implements EmulatedDevice {
  nowUs = 0;
  #heard: Uint8Array = new Uint8Array(0);

  portOpened(): void {}

  receive(bytes: Uint8Array): void {
    this.#heard = Uint8Array.of(...this.#heard, ...bytes);
  }

  runUntil(timeUs: number): Uint8Array {
    this.nowUs = timeUs;
    const said = this.#heard;
    this.#heard = new Uint8Array(0);
    return said;
  }
}

export class EchoServer implements RigServer<EchoRequest, WallClockReport> {
  readonly #port: PseudoTerminal;
  readonly #wallClock: WallClock;

  private constructor(port: PseudoTerminal) {
    this.#port = port;
    const echo = new Echo();
    let lastHostByteUs = Number.NEGATIVE_INFINITY;
    this.#wallClock = new WallClock(echo, port, {
      napMs: () => napBesideHost(echo.nowUs - lastHostByteUs),
      fromHost: (_bytes, timeUs) => {
        lastHostByteUs = timeUs;
      },
    });
  }

  /** @throws KitError E_PTY */
  static async start(this: void): Promise<EchoServer> {
    return new EchoServer(await PseudoTerminal.open());
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
