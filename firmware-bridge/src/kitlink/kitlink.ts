/**
 * Our board as a servo bus (docs/link-protocol.md). It knows bytes, frames and the board's rules; time and port come from outside, so it
 * runs in virtual time as well.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Site } from '@sim2servo/models/site';
import type { ByteStream } from '../byte-stream.js';
import type { HaltKind, ServoLink, ServoMotion, ServoState } from '../servo-link.js';
import { BoardClock } from './board-clock.js';
import { crc32 } from './crc32.js';
import { encodeFrame, type Frame, protocolVersion } from './frame.js';
import { FrameReader } from './frame-reader.js';
import {
  type AckMessage,
  decodeAck,
  decodeInfo,
  decodeNack,
  decodeState,
  encodeArm,
  encodeConfig,
  encodeHalt,
  encodeMotion,
  type InfoMessage,
  messageType,
  type NackMessage,
  reasonWords,
  type StateMessage,
} from './messages.js';
import { PulseMap, ticksPerUs } from './pulse-map.js';

/** An Uno's bootloader listens for up to two seconds after the reset that opening causes. */
const helloTimeoutUs = 4_000_000;
const helloEveryUs = 100_000;
const answerTimeoutUs = 50_000;
const tries = 10;
/** Two periods: a board that streams has spoken by then. */
const sampleTimeoutUs = 100_000;
const settlingSamples = 10;
/** An arm that stands this far outside its limits is not pulled back by arming. */
const outsideRad = 0.1;

export interface KitLinkOptions {
  readonly open: () => Promise<ByteStream>;
  readonly clock: Clock;
  readonly spec: RobotSpec;
  readonly site: Site;
}

type Answer = { readonly ack: AckMessage } | { readonly nack: NackMessage };

export class KitLink implements ServoLink, ServoMotion {
  readonly #options: KitLinkOptions;
  readonly #clock: Clock;
  readonly #reader = new FrameReader(frame => this.#receive(frame));
  readonly #boardClock = new BoardClock();
  readonly #microsPerByte: number;
  #stream: ByteStream | undefined;
  #closed: KitError | undefined;
  #bytes = 0;
  #map!: PulseMap;
  #ticks!: Uint16Array;
  #digest = 0;
  #info: InfoMessage | undefined;
  #state: StateMessage | undefined;
  #samples = 0;
  #samplesRead = 0;
  #roundTripUs = Number.NaN;
  #answer: { readonly sequence: number; readonly answer: Answer } | undefined;
  #session = 0;
  #nonce: number | undefined;
  #sequence = 0;
  #wake: (() => void) | undefined;

  constructor(options: KitLinkOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#microsPerByte = 1e7 / options.site.bus.baudRate;
  }

  /** @throws KitError E_NO_ANSWER, E_FOREIGN_DEVICE, E_LINK_VERSION, E_CHANNEL, E_CONFIG_REFUSED, E_PORT_* */
  async open(): Promise<ServoMotion> {
    const stream = await this.#options.open();
    this.#stream = stream;
    stream.onData(chunk => {
      this.#bytes += chunk.length;
      this.#reader.push(chunk);
    });
    stream.onClose(reason => {
      this.#closed = new KitError(
        'E_PORT_CLOSED',
        `the port has gone${reason === undefined ? '' : `: ${reason.message}`}`,
        'check the cable; the board holds the arm by itself',
        'noDevice',
      );
      this.#notify();
    });
    try {
      const info = await this.#hello();
      this.#map = new PulseMap(this.#options.spec, this.#options.site, info.channels);
      this.#ticks = new Uint16Array(info.channels);
      await this.#configure(info);
      // The first frames of a port that was just opened come in fits and starts: how far the clocks are apart needs a few more.
      for (let i = 0; i < settlingSamples; i++) await this.#sample();
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  async #hello(): Promise<InfoMessage> {
    const until = this.#clock.nowUs() + helloTimeoutUs;
    while (this.#clock.nowUs() < until) {
      this.#send(messageType.hello, new Uint8Array(0));
      await this.#wait(helloEveryUs, () => this.#info !== undefined);
      const info = this.#info;
      if (info === undefined) continue;
      if (info.version !== protocolVersion)
        throw new KitError(
          'E_LINK_VERSION',
          `the board speaks version ${info.version} of the link, this kit version ${protocolVersion}`,
          'write the image of this kit to it: kit device flash',
          'failed',
        );
      return info;
    }
    if (this.#bytes === 0)
      throw new KitError(
        'E_NO_ANSWER',
        `nothing answers on the port within ${helloTimeoutUs / 1e6} s`,
        'check cable and power, and that the board has the firmware: kit device flash',
        'noDevice',
      );
    throw new KitError(
      'E_FOREIGN_DEVICE',
      `what answers on the port (${this.#bytes} bytes, no frame among them) is no kitlink board`,
      'check the port; write the firmware with kit device flash',
      'noDevice',
    );
  }

  async #configure(info: InfoMessage): Promise<void> {
    const payload = encodeConfig(this.#map.config);
    this.#digest = crc32(payload);
    if (info.configDigest === this.#digest) return;
    const answer = await this.#ask(messageType.config, payload);
    if ('nack' in answer)
      throw new KitError(
        'E_CONFIG_REFUSED',
        `the board refuses its configuration: ${reasonWords[answer.nack.reason]}`,
        'check ranges and pulses in robot.json and site.json',
        'usage',
      );
  }

  #frame(type: number, payload: Uint8Array): Uint8Array {
    return encodeFrame({
      version: protocolVersion,
      type,
      session: this.#session,
      sequence: ++this.#sequence,
      timeUs: this.#clock.nowUs() >>> 0,
      payload,
    });
  }

  #send(type: number, payload: Uint8Array): void {
    this.#checkOpen();
    this.#stream!.write(this.#frame(type, payload));
  }

  /** Sends until it is answered; the board answers a repeated frame as it did the first. */
  async #ask(type: number, payload: Uint8Array): Promise<Answer> {
    const frame = this.#frame(type, payload);
    const sequence = this.#sequence;
    for (let attempt = 0; attempt < tries; attempt++) {
      this.#checkOpen();
      this.#stream!.write(frame);
      if (await this.#wait(answerTimeoutUs, () => this.#answer?.sequence === sequence)) return this.#answer!.answer;
    }
    throw new KitError(
      'E_UNANSWERED',
      `the board did not answer ${tries} times in ${(tries * answerTimeoutUs) / 1000} ms`,
      'check the cable; the board holds the arm by itself',
      'timeout',
    );
  }

  #receive(frame: Frame): void {
    const now = this.#clock.nowUs();
    switch (frame.type) {
      case messageType.info:
        this.#info = decodeInfo(frame.payload) ?? this.#info;
        break;
      case messageType.ack: {
        const ack = decodeAck(frame.payload);
        if (ack !== undefined) this.#answer = { sequence: ack.sequence, answer: { ack } };
        break;
      }
      case messageType.nack: {
        const nack = decodeNack(frame.payload);
        if (nack !== undefined) this.#answer = { sequence: nack.sequence, answer: { nack } };
        break;
      }
      case messageType.state: {
        const state = decodeState(frame.payload);
        if (state === undefined) return;
        const flightUs = (frame.payload.length + frameOverheadBytes) * this.#microsPerByte;
        this.#boardClock.observe(frame.timeUs, now, flightUs);
        const answered = state.motionReceivedUs !== 0 && state.motionReceivedUs !== this.#state?.motionReceivedUs;
        if (answered)
          this.#roundTripUs = ((now >>> 0) - state.motionHostUs - (frame.timeUs - state.motionReceivedUs)) >>> 0;
        this.#state = state;
        this.#samples++;
        break;
      }
      default:
        return;
    }
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Waits until `done`, at most `timeoutUs`. */
  async #wait(timeoutUs: number, done: () => boolean): Promise<boolean> {
    const until = this.#clock.nowUs() + timeoutUs;
    while (!done()) {
      this.#checkOpen();
      if (this.#clock.nowUs() >= until) return false;
      await this.#clock.waitUntil(
        until,
        new Promise<void>(resolve => {
          this.#wake = resolve;
        }),
      );
    }
    return true;
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#stream === undefined) throw new KitError('E_PORT_CLOSED', 'the port is not open', 'open it first', 'bug');
  }

  /** The next sample that comes. */
  async #sample(): Promise<StateMessage> {
    const before = this.#samples;
    if (!(await this.#wait(sampleTimeoutUs, () => this.#samples > before)))
      throw new KitError(
        'E_NO_SAMPLE',
        `the board sent no sample within ${sampleTimeoutUs / 1000} ms`,
        'check the cable',
        'timeout',
      );
    return this.#state!;
  }

  async read(out: ServoState, timeoutUs: number): Promise<boolean> {
    const fresh = await this.#wait(timeoutUs, () => this.#samples > this.#samplesRead);
    this.#checkOpen();
    this.#samplesRead = this.#samples;
    const state = this.#state!;
    this.#map.toAngles(state.channels, out.position);
    out.sampledAtUs = this.#boardClock.toHost(state.sampleUs);
    out.sample = this.#samples;
    out.device = state.device;
    out.reason = reasonWords[state.reason];
    out.phaseUs = state.samplePhaseTicks / ticksPerUs;
    out.periodUs = state.periodTicks / ticksPerUs;
    const { counters } = state;
    out.linkErrors =
      this.#reader.badChecksum +
      this.#reader.badFormat +
      counters.badChecksum +
      counters.badFormat +
      counters.overruns +
      counters.dropped;
    out.roundTripUs = this.#roundTripUs;
    return fresh;
  }

  write(targets: Float64Array): void {
    if (this.#nonce === undefined)
      throw new KitError('E_NOT_ARMED', 'motion was asked for before arming', 'arm first', 'bug');
    this.#map.toTicks(targets, this.#ticks);
    this.#send(
      messageType.motion,
      encodeMotion({ nonce: this.#nonce, sampleUs: this.#state!.sampleUs, pulseTicks: this.#ticks }),
    );
  }

  async arm(): Promise<void> {
    const state = await this.#sample();
    const { spec } = this.#options;
    const present = new Float64Array(spec.joints.length);
    this.#map.toAngles(state.channels, present);
    for (const [j, { name, range }] of spec.joints.entries()) {
      const angle = present[j]!;
      if (angle < range[0] - outsideRad || angle > range[1] + outsideRad)
        throw new KitError(
          'E_ARM_OUTSIDE',
          `joint '${name}' stands at ${angle.toFixed(2)} rad, outside its range [${range}]`,
          'move it back by hand, then try again',
          'safetyStop',
        );
      present[j] = Math.max(range[0], Math.min(range[1], angle));
    }
    this.#map.toTicks(present, this.#ticks);
    this.#nonce = undefined;
    this.#session = randomInt(1, 2 ** 32);
    const answer = await this.#ask(
      messageType.arm,
      encodeArm({ configDigest: this.#digest, sampleUs: state.sampleUs, pulseTicks: this.#ticks }),
    );
    if ('nack' in answer)
      throw new KitError(
        'E_ARM_REFUSED',
        `the board refuses to arm: ${reasonWords[answer.nack.reason]}`,
        'open the port again, and check site.json',
        'safetyStop',
      );
    this.#nonce = answer.ack.value;
  }

  async halt(kind: HaltKind): Promise<void> {
    this.#nonce = undefined;
    const answer = await this.#ask(messageType.halt, encodeHalt({ kind, sampleUs: this.#state!.sampleUs }));
    if ('nack' in answer)
      throw new KitError(
        'E_HALT_REFUSED',
        `the board refuses to ${kind}: ${reasonWords[answer.nack.reason]}`,
        'cut the power of the servos if the arm moves',
        'safetyStop',
      );
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    await stream?.close();
  }
}

/** Header, CRC, COBS and delimiter around a payload. */
const frameOverheadBytes = 20;
