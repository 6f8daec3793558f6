/**
 * The whole device: the board with its firmware, and the arm on its pins. Pulses turn the servos, the joints turn the potentiometers,
 * and physics goes on with the chip's own clock.
 */
import { readFileSync } from 'node:fs';
import { parseIntelHex } from '@sim2servo/firmware-bridge/intel-hex';
import { angleOfPulse } from '@sim2servo/models/hobby-servo';
import { Random } from '@sim2servo/models/random';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { type HobbyServo, siteOn } from '@sim2servo/models/site';
import { type ArmVariation, nominalArm } from '@sim2servo/sim/arm-variation';
import { ServoArm } from '@sim2servo/sim/servo-arm';
import { AvrBoard, channels, flashBytes } from './avr-board.js';
import type { EmulatedDevice } from './emulated-device.js';

/** A servo that gets no pulse for this long goes limp. */
const pulseLossUs = 100_000;

export interface Pulse {
  readonly channel: number;
  readonly riseUs: number;
  readonly widthUs: number;
}

export interface DeviceOptions {
  readonly robot: LoadedRobot;
  readonly imagePath: string;
  readonly variation?: ArmVariation;
  readonly seed?: number;
  /** Where the arm stands at first, rad; home where absent. */
  readonly position?: ArrayLike<number>;
}

/** Latencies inside the device, from its own pins and registers; µs of emulated time. */
export interface DeviceTimings {
  /** From the converter's sample to the change of the timer's register that answered it. */
  readonly sensorToRegisterUs: number[];
  /** From that change to the end of the first pulse made with it. */
  readonly registerToPulseUs: number[];
}

export class ArmOnBoard implements EmulatedDevice {
  readonly arm: ServoArm;
  readonly #board: AvrBoard;
  /** Joint of each channel, −1 for an unused one. */
  readonly #jointOf: readonly number[];
  readonly #servos: readonly HobbyServo[];
  readonly #angles: Float64Array;
  readonly #lastPulseUs: Float64Array;
  readonly #lastRegisterUs = new Float64Array(channels).fill(Number.NaN);
  #lastSampleUs = Number.NaN;
  #armUs = 0;
  #nowUs = 0;
  #out: number[] = [];
  /** Every pulse since {@link clearRecords}. */
  readonly pulses: Pulse[] = [];
  /** What the converter makes of a joint's potentiometer: a test may let it break. */
  sensor: (joint: number) => number = joint => this.arm.feedbackCounts(joint);
  readonly timings: DeviceTimings = { sensorToRegisterUs: [], registerToPulseUs: [] };

  private constructor(options: DeviceOptions, arm: ServoArm) {
    const { robot } = options;
    this.arm = arm;
    this.#servos = servosInOrder(robot.spec, siteOn(robot.site, 'kitlink'));
    const servos = this.#servos;
    this.#jointOf = Array.from({ length: channels }, (_, channel) => servos.findIndex(servo => servo.id === channel));
    this.#angles = new Float64Array(servos.length).fill(Number.NaN);
    this.#lastPulseUs = new Float64Array(servos.length).fill(Number.NEGATIVE_INFINITY);
    const start = options.position ?? robot.spec.joints.map(joint => joint.home);
    arm.reset(start, options.variation ?? nominalArm, new Random(options.seed ?? 0));
    this.#board = new AvrBoard(parseIntelHex(readFileSync(options.imagePath, 'utf8'), flashBytes), {
      transmit: byte => this.#out.push(byte),
      pulse: (channel, riseUs, widthUs) => this.#pulse(channel, riseUs, widthUs),
      register: (channel, timeUs) => this.#register(channel, timeUs),
      sample: (channel, timeUs) => this.#sample(channel, timeUs),
    });
  }

  static async create(options: DeviceOptions): Promise<ArmOnBoard> {
    return new ArmOnBoard(options, await ServoArm.create(options.robot));
  }

  /** Emulated time. */
  get nowUs(): number {
    return this.#nowUs;
  }

  get bytesLost(): number {
    return this.#board.bytesLost;
  }

  get resets(): number {
    return this.#board.resets;
  }

  #advanceArm(timeUs: number): void {
    if (timeUs <= this.#armUs) return;
    this.arm.advance((timeUs - this.#armUs) / 1e6);
    this.#armUs = timeUs;
  }

  #pulse(channel: number, riseUs: number, widthUs: number): void {
    this.pulses.push({ channel, riseUs, widthUs });
    const endUs = riseUs + widthUs;
    const registerUs = this.#lastRegisterUs[channel]!;
    // A value written after the pulse began counts from the next one on: that one is the first made with it.
    if (registerUs < riseUs) {
      this.timings.registerToPulseUs.push(endUs - registerUs);
      this.#lastRegisterUs[channel] = Number.NaN;
    }
    const joint = this.#jointOf[channel]!;
    if (joint < 0) return;
    this.#advanceArm(endUs);
    this.#angles[joint] = angleOfPulse(this.#servos[joint]!, widthUs);
    this.#lastPulseUs[joint] = endUs;
    this.arm.setTargets(this.#angles);
  }

  #register(channel: number, timeUs: number): void {
    if (!Number.isNaN(this.#lastSampleUs) && channel === 0) {
      this.timings.sensorToRegisterUs.push(timeUs - this.#lastSampleUs);
      this.#lastSampleUs = Number.NaN;
    }
    this.#lastRegisterUs[channel] = timeUs;
  }

  #sample(channel: number, timeUs: number): number {
    this.#advanceArm(timeUs);
    if (channel === 0) this.#lastSampleUs = timeUs;
    const joint = this.#jointOf[channel] ?? -1;
    return joint < 0 ? 0 : this.sensor(joint);
  }

  /** Bytes from the host, put on the wire now. */
  receive(bytes: Uint8Array): void {
    this.#board.receive(bytes, this.#nowUs);
  }

  reset(): void {
    this.#board.reset(this.#nowUs);
  }

  /** Opening an Uno's port pulls its reset line. */
  portOpened(): void {
    this.reset();
  }

  /**
   * Lets time run to `timeUs`.
   *
   * @returns bytes that have left the board meanwhile
   */
  runUntil(timeUs: number): Uint8Array {
    this.#board.runUntil(timeUs);
    this.#nowUs = Math.max(this.#nowUs, timeUs);
    this.#advanceArm(timeUs);
    let lost = false;
    for (let j = 0; j < this.#angles.length; j++)
      if (!Number.isNaN(this.#angles[j]) && timeUs - this.#lastPulseUs[j]! > pulseLossUs) {
        this.#angles[j] = Number.NaN;
        lost = true;
      }
    if (lost) this.arm.setTargets(this.#angles);
    if (this.#out.length === 0) return none;
    const bytes = Uint8Array.from(this.#out);
    this.#out = [];
    return bytes;
  }

  /** Forgets pulses and timings so far: a new measurement. */
  clearRecords(): void {
    this.pulses.length = 0;
    this.timings.sensorToRegisterUs.length = 0;
    this.timings.registerToPulseUs.length = 0;
  }
}

const none = new Uint8Array(0);
