/**
 * The device in real time behind a pseudo-terminal: any program that opens the port meets the real firmware image.
 */
import { FrameReader } from '@sim2servo/firmware-bridge/kitlink/frame-reader';
import { decodeState, messageType, reasonWords } from '@sim2servo/firmware-bridge/kitlink/messages';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { ArmOnBoard } from './arm-on-board.js';
import { PseudoTerminal } from './pseudo-terminal.js';
import type { RigReport, RigRequest, RigSetup } from './rig-messages.js';
import type { RigServer } from './serve-rig.js';
import { WallClock } from './wall-clock.js';
import { warmUp } from './warm-up.js';

const napMs = 0.15;
const pulsesKept = 20_000;

export class AvrServer implements RigServer<RigRequest, RigReport> {
  readonly #device: ArmOnBoard;
  readonly #port: PseudoTerminal;
  readonly #wallClock: WallClock;
  readonly #reader: FrameReader;
  #lastHostByteUs = Number.NaN;
  #latchedUs = Number.NaN;
  #stateName = 'limp';
  #reason = '';
  #corruptEvery = 0;
  #corruptCount = 0;

  private constructor(device: ArmOnBoard, port: PseudoTerminal) {
    this.#device = device;
    this.#port = port;
    this.#reader = new FrameReader(frame => {
      const state = frame.type === messageType.state ? decodeState(frame.payload) : undefined;
      if (state === undefined) return;
      if (state.device === 'latched' && this.#stateName !== 'latched') this.#latchedUs = this.#device.nowUs;
      this.#stateName = state.device;
      this.#reason = reasonWords[state.reason];
    });
    this.#wallClock = new WallClock(device, port, {
      napMs: () => napMs,
      fromHost: (bytes, timeUs) => this.#fromHost(bytes, timeUs),
      fromDevice: bytes => this.#reader.push(bytes),
      opened: () => {
        this.#latchedUs = Number.NaN;
      },
      looked: () => {
        if (device.pulses.length > pulsesKept) device.pulses.splice(0, pulsesKept / 2);
      },
    });
  }

  static async start(this: void, setup: RigSetup): Promise<AvrServer> {
    const { robot, ...rest } = setup;
    const options = { ...rest, robot: loadRobot(robot) };
    await warmUp(options);
    return new AvrServer(await ArmOnBoard.create(options), await PseudoTerminal.open());
  }

  get path(): string {
    return this.#port.path;
  }

  /** Runs until {@link stop}. */
  run(): Promise<void> {
    return this.#wallClock.run();
  }

  #fromHost(bytes: Uint8Array, timeUs: number): void {
    this.#lastHostByteUs = timeUs;
    if (this.#corruptEvery > 0)
      for (let i = 0; i < bytes.length; i++)
        if (++this.#corruptCount % this.#corruptEvery === 0) bytes[i]! ^= 1 << (this.#corruptCount % 8);
  }

  #reset(): void {
    this.#device.reset();
    this.#latchedUs = Number.NaN;
  }

  handle(request: RigRequest): RigReport | undefined {
    switch (request.kind) {
      case 'clear':
        this.#device.clearRecords();
        this.#wallClock.clear();
        this.#latchedUs = Number.NaN;
        return undefined;
      case 'report':
        return this.#report();
      case 'reset':
        this.#reset();
        return undefined;
      case 'corrupt':
        this.#corruptEvery = request.every;
        return undefined;
      case 'hangUp':
        this.#wallClock.hangUp();
        return undefined;
      case 'stop':
        this.stop();
        return undefined;
    }
  }

  #report(): RigReport {
    const { timings, pulses, arm } = this.#device;
    return {
      ...this.#wallClock.report(),
      nowUs: this.#device.nowUs,
      resets: this.#device.resets,
      bytesLost: this.#device.bytesLost,
      sensorToRegisterUs: timings.sensorToRegisterUs,
      registerToPulseUs: timings.registerToPulseUs,
      pulses,
      positionRad: Array.from({ length: arm.joints }, (_, joint) => arm.angle(joint)),
      lastHostByteUs: this.#lastHostByteUs,
      device: this.#stateName,
      reason: this.#reason,
      latchedUs: this.#latchedUs,
    };
  }

  stop(): void {
    this.#wallClock.stop();
  }
}
