/** An emulated servo bus in real time behind a pseudo-terminal: any program that opens the port meets servos. */
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { ArmVariation } from '@sim2servo/sim/arm-variation';
import { PseudoTerminal } from '../pseudo-terminal.js';
import type { RigServer } from '../serve-rig.js';
import { napBesideHost, WallClock, type WallClockReport } from '../wall-clock.js';
import { type AnyServo, type BusKind, freeBus, robotBus } from './create-bus.js';
import type { EmulatedBus } from './emulated-bus.js';
import { fallS } from './mechanics.js';

export type BusSetup =
  /** Name of a shipped robot, or the path of a robot folder: its servos, its arm. */
  | { readonly robot: string; readonly variation?: ArmVariation; readonly seed?: number }
  /** Servos 1 … n that turn nothing. */
  | { readonly kind: BusKind; readonly servos: number; readonly baudRate: number };

export type BusRequest =
  /** Forgets what was recorded so far. */
  | { readonly kind: 'clear' }
  | { readonly kind: 'report' }
  /** A servo, by its place, loses its supply for an instant, and is silent for a while. */
  | { readonly kind: 'restart'; readonly servo: number; readonly silentS: number }
  /** A hand turns the horn of a servo that turns nothing; raw counts. */
  | { readonly kind: 'turn'; readonly servo: number; readonly counts: number }
  /** Pulls the cable, for good. */
  | { readonly kind: 'hangUp' }
  | { readonly kind: 'stop' };

/** Since the last `clear`; all times are emulated µs. */
export interface BusReport extends WallClockReport {
  readonly nowUs: number;
  /** When the last byte from the host was put on the wire. */
  readonly lastHostByteUs: number;
  /** Where the horns were, raw counts, every few milliseconds; the newest last. */
  readonly trace: readonly { readonly timeUs: number; readonly counts: readonly number[] }[];
  /** [servos] torque switch and goal as they stand in the registers now. */
  readonly torque: readonly number[];
  readonly goals: readonly number[];
}

const traceEveryUs = 5_000;
const traceKept = 4_000;

export class BusServer implements RigServer<BusRequest, BusReport> {
  readonly #bus: EmulatedBus<AnyServo>;
  readonly #port: PseudoTerminal;
  readonly #wallClock: WallClock;
  #lastHostByteUs = Number.NEGATIVE_INFINITY;
  #trace: { timeUs: number; counts: number[] }[] = [];

  private constructor(bus: EmulatedBus<AnyServo>, port: PseudoTerminal) {
    this.#bus = bus;
    this.#port = port;
    this.#wallClock = new WallClock(bus, port, {
      napMs: () => napBesideHost(bus.nowUs - this.#lastHostByteUs),
      fromHost: (_bytes, timeUs) => {
        this.#lastHostByteUs = timeUs;
        bus.wire.baudRate = port.baudRate;
      },
      looked: () => this.#look(),
    });
  }

  /** @throws KitError E_PTY, E_RIG_BUS, and those of loading a robot */
  static async start(this: void, setup: BusSetup): Promise<BusServer> {
    const bus =
      'robot' in setup
        ? await robotBus(loadRobot(setup.robot), setup)
        : freeBus(setup.kind, setup.servos, setup.baudRate);
    // Whoever comes meets an arm that stands, or lies, still.
    if ('robot' in setup) bus.runUntil(fallS * 1e6);
    return new BusServer(bus, await PseudoTerminal.open());
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

  #look(): void {
    const { nowUs, servos, mechanics } = this.#bus;
    if (nowUs - (this.#trace.at(-1)?.timeUs ?? Number.NEGATIVE_INFINITY) < traceEveryUs) return;
    this.#trace.push({ timeUs: nowUs, counts: servos.map((_, i) => mechanics.counts(i)) });
    if (this.#trace.length > traceKept) this.#trace.splice(0, traceKept / 2);
  }

  handle(request: BusRequest): BusReport | undefined {
    switch (request.kind) {
      case 'clear':
        this.#trace = [];
        this.#wallClock.clear();
        return undefined;
      case 'report':
        return {
          ...this.#wallClock.report(),
          nowUs: this.#bus.nowUs,
          lastHostByteUs: this.#lastHostByteUs,
          trace: this.#trace,
          torque: this.#bus.servos.map(servo => servo.get('torqueEnable')),
          goals: this.#bus.servos.map(servo => servo.get('goalPosition')),
        };
      case 'restart':
        this.#bus.servos[request.servo]?.restart(request.silentS);
        return undefined;
      case 'turn':
        this.#bus.mechanics.turn?.(request.servo, request.counts);
        return undefined;
      case 'hangUp':
        this.#wallClock.hangUp();
        return undefined;
      case 'stop':
        this.stop();
        return undefined;
    }
  }
}
