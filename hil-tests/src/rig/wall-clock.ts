/**
 * Lets an emulated device follow the wall clock behind a pseudo-terminal: any program that opens the port meets it in real time. It
 * measures how well that goes: where the machine is too slow, latencies would be those of the machine, and the device's owner can say so.
 */
import { keepGcPausesShort } from '@sim2servo/runtime/gc-pauses';
import type { EmulatedDevice } from './emulated-device.js';
import { favourProcess } from './favour-process.js';
import type { PseudoTerminal } from './pseudo-terminal.js';

/** The event loop turns this often, for messages of the owner. */
const turnMs = 4;
const lateUs = 1_000;
/**
 * A device that lags further than this lets the time go that it has lost, and goes on from now. Made up in a burst, the host's answers
 * would come when the device's deadline is already over: it would blame the host for the rig's own nap.
 */
const slipUs = 10_000;
/** Above this share of late looks, latencies are not reported. */
const lateShareLimit = 0.01;
/** Share of the time that may have slipped. */
const slipLimit = 0.005;

/** Nap between two looks at the port while somebody speaks, and while nobody has for a while. */
const awakeMs = 0.01;
const asleepMs = 1;
const awakeUs = 100_000;

/** @param silentUs since the host spoke last @returns ms */
export function napBesideHost(silentUs: number): number {
  return silentUs < awakeUs ? awakeMs : asleepMs;
}

export interface WallClockOptions {
  /** Sleep between two looks at the port: the most that a byte of the host waits before it is on the wire. */
  readonly napMs: () => number;
  /** Bytes of the host on their way to the device, and when they are put on the wire; may change them. */
  readonly fromHost?: (bytes: Uint8Array, timeUs: number) => void;
  /** Bytes of the device on their way to the host. */
  readonly fromDevice?: (bytes: Uint8Array) => void;
  /** After a host has opened the port. */
  readonly opened?: () => void;
  /** After each look. */
  readonly looked?: () => void;
}

export class WallClock {
  readonly #device: EmulatedDevice;
  readonly #port: PseudoTerminal;
  readonly #options: WallClockOptions;
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));
  #running = true;
  #hungUp = false;
  #busyMs = 0;
  #sinceUs = 0;
  #looks = 0;
  #lateLooks = 0;
  #maxLagUs = 0;
  #slippedUs = 0;

  constructor(device: EmulatedDevice, port: PseudoTerminal, options: WallClockOptions) {
    this.#device = device;
    this.#port = port;
    this.#options = options;
  }

  /** Runs until {@link stop}, in a process that has nothing else to do. */
  async run(): Promise<void> {
    favourProcess();
    keepGcPausesShort();
    const device = this.#device;
    const { napMs, fromHost, fromDevice, opened, looked } = this.#options;
    let originMs = performance.now() - device.nowUs / 1000;
    let turnedMs = performance.now();
    while (this.#running) {
      const startMs = performance.now();
      const lagUs = (startMs - originMs) * 1000 - device.nowUs;
      this.#looks++;
      if (lagUs > lateUs) this.#lateLooks++;
      this.#maxLagUs = Math.max(this.#maxLagUs, lagUs);
      if (lagUs > slipUs) {
        originMs += lagUs / 1000;
        this.#slippedUs += lagUs;
      }
      const nowUs = Math.max(device.nowUs, (startMs - originMs) * 1000);
      const event = this.#hungUp
        ? undefined
        : this.#port.poll(bytes => {
            // By the clock of now: stamped earlier, a byte would be on the wire before it was written.
            const timeUs = (performance.now() - originMs) * 1000;
            fromHost?.(bytes, timeUs);
            device.receive(bytes, timeUs);
          });
      if (event === 'opened') {
        device.portOpened();
        opened?.();
      }
      const bytes = device.runUntil(nowUs);
      if (bytes.length > 0) {
        fromDevice?.(bytes);
        if (!this.#hungUp) this.#port.write(bytes);
      }
      looked?.();
      const endMs = performance.now();
      this.#busyMs += endMs - startMs;
      if (endMs - turnedMs > turnMs) {
        await new Promise(resolve => setImmediate(resolve));
        turnedMs = performance.now();
      } else Atomics.wait(this.#nap, 0, 0, napMs());
    }
  }

  stop(): void {
    this.#running = false;
  }

  /** Pulls the cable, for good. */
  hangUp(): void {
    this.#hungUp = true;
    this.#port.hangUp();
  }

  /** Measures anew from now on. */
  clear(): void {
    this.#busyMs = 0;
    this.#sinceUs = this.#device.nowUs;
    this.#looks = 0;
    this.#lateLooks = 0;
    this.#maxLagUs = 0;
    this.#slippedUs = 0;
  }

  report(): WallClockReport {
    const elapsedUs = this.#device.nowUs - this.#sinceUs;
    return {
      realTimeFactor: elapsedUs / 1000 / this.#busyMs,
      maxLagUs: this.#maxLagUs,
      slippedUs: this.#slippedUs,
      keptUp: this.#lateLooks / Math.max(1, this.#looks) <= lateShareLimit && this.#slippedUs <= slipLimit * elapsedUs,
    };
  }
}

export interface WallClockReport {
  /** Emulated time over the time that emulating it took: what the machine could do. */
  readonly realTimeFactor: number;
  /** The furthest that the rig was behind the wall clock, µs. */
  readonly maxLagUs: number;
  /** Wall time that it let go because it was too far behind. */
  readonly slippedUs: number;
  /** Whether latencies measured here mean anything. */
  readonly keptUp: boolean;
}
