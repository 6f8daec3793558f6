/**
 * The device in real time behind a pseudo-terminal: any program that opens the port meets the real firmware image.
 *
 * Emulated time follows the wall clock in small steps. It measures how well it does so: where the machine is too slow, latencies
 * would be those of the machine, and it says so.
 */
import { FrameReader } from '@sim2servo/firmware-bridge/kitlink/frame-reader';
import { decodeState, messageType, reasonWords } from '@sim2servo/firmware-bridge/kitlink/messages';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { ArmOnBoard } from './arm-on-board.js';
import { PseudoTerminal } from './pseudo-terminal.js';
import type { RigReport, RigRequest, RigSetup } from './rig-messages.js';
import { warmUp } from './warm-up.js';

/** Sleep between two looks: the most that a byte of the host waits before it is on the wire. */
const napMs = 0.15;
/** The event loop turns this often, for messages of the owner. */
const turnMs = 4;
const lateUs = 1_000;
/**
 * A rig that lags further than this lets the time go that it has lost, and goes on from now. Made up in a burst, the host's answers would
 * come when the firmware's deadline is already over: it would blame the host for the rig's own nap.
 */
const slipUs = 10_000;
/** Above this share of late looks, latencies are not reported. */
const lateShareLimit = 0.01;
/** Share of the time that may have slipped. */
const slipLimit = 0.005;
const pulsesKept = 20_000;

export class AvrServer {
  readonly #device: ArmOnBoard;
  readonly #port: PseudoTerminal;
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));
  readonly #reader: FrameReader;
  #running = true;
  #busyMs = 0;
  #sinceUs = 0;
  #looks = 0;
  #lateLooks = 0;
  #maxLagUs = 0;
  #slippedUs = 0;
  #lastHostByteUs = Number.NaN;
  #latchedUs = Number.NaN;
  #stateName = 'limp';
  #reason = '';
  #corruptEvery = 0;
  #corruptCount = 0;
  #hungUp = false;

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
  }

  static async start(setup: RigSetup): Promise<AvrServer> {
    const { robot, ...rest } = setup;
    const options = { ...rest, robot: loadRobot(robot) };
    await warmUp(options);
    return new AvrServer(await ArmOnBoard.create(options), await PseudoTerminal.open());
  }

  get path(): string {
    return this.#port.path;
  }

  /** Runs until {@link stop}. */
  async run(): Promise<void> {
    let originMs = performance.now() - this.#device.nowUs / 1000;
    let turnedMs = performance.now();
    while (this.#running) {
      const startMs = performance.now();
      const wallUs = (startMs - originMs) * 1000;
      const lagUs = wallUs - this.#device.nowUs;
      this.#looks++;
      if (lagUs > lateUs) this.#lateLooks++;
      this.#maxLagUs = Math.max(this.#maxLagUs, lagUs);
      if (lagUs > slipUs) {
        originMs += lagUs / 1000;
        this.#slippedUs += lagUs;
      }
      if (!this.#hungUp && this.#port.poll(bytes => this.#fromHost(bytes)) === 'opened') this.#reset();
      const bytes = this.#device.runUntil(Math.max(this.#device.nowUs, (startMs - originMs) * 1000));
      if (bytes.length > 0) {
        this.#reader.push(bytes);
        if (!this.#hungUp) this.#port.write(bytes);
      }
      if (this.#device.pulses.length > pulsesKept) this.#device.pulses.splice(0, pulsesKept / 2);
      const endMs = performance.now();
      this.#busyMs += endMs - startMs;
      if (endMs - turnedMs > turnMs) {
        await new Promise(resolve => setImmediate(resolve));
        turnedMs = performance.now();
      } else Atomics.wait(this.#nap, 0, 0, napMs);
    }
  }

  #fromHost(bytes: Uint8Array): void {
    this.#lastHostByteUs = this.#device.nowUs;
    if (this.#corruptEvery > 0)
      for (let i = 0; i < bytes.length; i++)
        if (++this.#corruptCount % this.#corruptEvery === 0) bytes[i]! ^= 1 << (this.#corruptCount % 8);
    this.#device.receive(bytes);
  }

  #reset(): void {
    this.#device.reset();
    this.#latchedUs = Number.NaN;
  }

  handle(request: RigRequest): RigReport | undefined {
    switch (request.kind) {
      case 'clear':
        this.#device.clearRecords();
        this.#busyMs = 0;
        this.#sinceUs = this.#device.nowUs;
        this.#looks = 0;
        this.#lateLooks = 0;
        this.#maxLagUs = 0;
        this.#slippedUs = 0;
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
        this.#hungUp = true;
        this.#port.hangUp();
        return undefined;
      case 'stop':
        this.stop();
        return undefined;
    }
  }

  #report(): RigReport {
    const { timings, pulses, arm } = this.#device;
    const realTimeFactor = (this.#device.nowUs - this.#sinceUs) / 1000 / this.#busyMs;
    return {
      realTimeFactor,
      maxLagUs: this.#maxLagUs,
      slippedUs: this.#slippedUs,
      keptUp:
        this.#lateLooks / Math.max(1, this.#looks) <= lateShareLimit &&
        this.#slippedUs <= slipLimit * (this.#device.nowUs - this.#sinceUs),
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
    this.#running = false;
  }
}
