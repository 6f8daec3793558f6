/**
 * Our board as a servo bus: greets it, gives it its limits, arms and moves it. The rules are the board's own (docs/link-protocol.md); time
 * and port come from outside, so it runs in virtual time as well.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { type Site, siteOn } from '@sim2servo/models/site';
import type { ByteStream } from '../byte-stream.js';
import {
  type HaltKind,
  keepInside,
  notArmed,
  notHeld,
  type ServoLink,
  type ServoMotion,
  type ServoState,
} from '../servo-link.js';
import { whenSilent } from '../silence.js';
import { Board, type Sample } from './board.js';
import { crc32 } from './crc32.js';
import { greet, helloEveryUs, sampleTimeoutUs } from './greet.js';
import {
  encodeArm,
  encodeConfig,
  encodeHalt,
  encodeMotion,
  type InfoMessage,
  type LinkReason,
  messageType,
  reasonWords,
} from './messages.js';
import { PulseMap, ticksPerUs } from './pulse-map.js';

const configTries = 10;
/** A second ARM still makes the deadline of the sample that it names; then a new one is needed. */
const armTries = 2;
const armings = 3;
const haltings = 10;
const settlingSamples = 10;
/** What a new sample and a new session may mend. */
const mendable: readonly LinkReason[] = ['expired', 'session', 'notNow'];

export interface KitLinkOptions {
  readonly open: () => Promise<ByteStream>;
  readonly clock: Clock;
  readonly spec: RobotSpec;
  readonly site: Site;
  /** Numbers for motion sessions, 1 … 2³² − 1, each of them new. Random unless given. */
  readonly newSession?: () => number;
}

export class KitLink implements ServoLink, ServoMotion {
  readonly #options: KitLinkOptions;
  #open: Board | undefined;
  #map!: PulseMap;
  #ticks!: Uint16Array;
  #digest = 0;
  #samplesRead = 0;
  #session = 0;
  #nonce: number | undefined;
  /** An arming was confirmed since the port was opened. */
  #gavePulses = false;
  #helloUs = Number.NEGATIVE_INFINITY;

  constructor(options: KitLinkOptions) {
    this.#options = options;
  }

  /** @throws KitError E_NO_ANSWER, E_FOREIGN_DEVICE, E_LINK_VERSION, E_CHANNEL, E_CONFIG_REFUSED, E_PORT_* */
  async open(): Promise<ServoMotion> {
    const { clock, spec, site } = this.#options;
    const board = new Board(await this.#options.open(), clock, siteOn(site, 'kitlink').bus.baudRate);
    this.#open = board;
    try {
      const info = await greet(board, clock);
      this.#map = new PulseMap(spec, site, info.channels);
      this.#ticks = new Uint16Array(info.channels);
      await this.#configure(board, info);
      // The first frames of a port that was just opened come in fits and starts: how far the clocks are apart needs a few more.
      for (let i = 0; i < settlingSamples; i++) await this.#sample(board);
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  async close(): Promise<void> {
    const board = this.#open;
    this.#open = undefined;
    this.#nonce = undefined;
    this.#gavePulses = false;
    await board?.close();
  }

  async read(out: ServoState, timeoutUs: number): Promise<boolean> {
    const board = this.#board();
    const fresh = await board.wait(timeoutUs, () => board.sample!.number > this.#samplesRead);
    board.checkOpen();
    if (!fresh) this.#greetAgain(board);
    const { state, number, session, sampledAtUs } = board.sample!;
    this.#samplesRead = number;
    this.#map.toAngles(state.channels, out.position);
    out.sampledAtUs = sampledAtUs;
    out.sample = number;
    out.device = state.device;
    out.reason = this.#session !== 0 && session === 0 ? 'the board was reset' : reasonWords[state.reason];
    out.phaseUs = state.samplePhaseTicks / ticksPerUs;
    out.periodUs = state.periodTicks / ticksPerUs;
    out.linkErrors = board.linkErrors;
    out.roundTripUs = board.roundTripUs;
    return fresh;
  }

  write(targets: Float64Array): void {
    if (this.#nonce === undefined) notArmed();
    const board = this.#board();
    this.#map.toTicks(targets, this.#ticks);
    const { sampleUs } = board.sample!.state;
    const payload = encodeMotion({ nonce: this.#nonce, sampleUs, pulseTicks: this.#ticks });
    board.send(messageType.motion, payload, this.#session);
  }

  async arm(): Promise<Float64Array> {
    const board = this.#board();
    const { newSession = () => randomInt(1, 2 ** 32) } = this.#options;
    let refusal = 'no answer came';
    for (let arming = 0; arming < armings; arming++) {
      const { state } = await this.#sample(board);
      const stay = this.#presentTicks(state.channels);
      this.#nonce = undefined;
      this.#session = newSession();
      const payload = encodeArm({ configDigest: this.#digest, sampleUs: state.sampleUs, pulseTicks: this.#ticks });
      const answer = await board.ask(messageType.arm, payload, this.#session, armTries);
      if (answer !== undefined && 'ack' in answer) {
        this.#nonce = answer.ack.value;
        this.#gavePulses = true;
        // What was sampled before says limp: nobody should read that of an armed board.
        this.#samplesRead = board.sample!.number;
        return stay;
      }
      if (answer === undefined) continue;
      refusal = reasonWords[answer.nack.reason];
      if (!mendable.includes(answer.nack.reason)) break;
      // Armed by somebody who is gone, as the port is ours: that must end before ours begins.
      if (answer.nack.reason === 'notNow') await this.halt('hold');
    }
    throw new KitError(
      'E_ARM_REFUSED',
      `the board refuses to arm: ${refusal}`,
      'open the port again, and check site.json',
      'safetyStop',
    );
  }

  /** @throws KitError E_HALT_REFUSED, E_NO_SAMPLE, E_PORT_CLOSED */
  async halt(kind: HaltKind): Promise<void> {
    const board = this.#board();
    this.#nonce = undefined;
    let refusal = 'no answer came';
    for (let halting = 0; halting < haltings; halting++) {
      // Each time anew: a relax is only obeyed if it names a fresh sample.
      const payload = encodeHalt({ kind, sampleUs: board.sample!.state.sampleUs });
      const answer = await board.ask(messageType.halt, payload, this.#session, 1);
      if (answer === undefined) {
        this.#greetAgain(board);
        continue;
      }
      // One that has forgotten its session confirms a hold as well, and gives no pulses to hold with.
      if (kind === 'hold' && this.#gavePulses && answer.session === 0) throw this.#reset();
      if ('ack' in answer) return;
      refusal = reasonWords[answer.nack.reason];
      if (answer.nack.reason !== 'expired') break;
      await this.#sample(board);
    }
    throw new KitError(
      'E_HALT_REFUSED',
      `the board did not confirm '${kind}': ${refusal}`,
      `${whenSilent(siteOn(this.#options.site, 'kitlink').bus)}; cut the power of the servos if the arm moves`,
      'safetyStop',
    );
  }

  #reset(): KitError {
    const { joints } = this.#options.spec;
    const why = 'NOT held (the board was reset, and gives no pulses)';
    return notHeld(
      joints.map(({ name }) => ({ who: `joint '${name}'`, why })),
      joints.length,
    );
  }

  #board(): Board {
    if (this.#open === undefined) throw new KitError('E_PORT_CLOSED', 'the port is not open', 'open it first', 'bug');
    this.#open.checkOpen();
    return this.#open;
  }

  /** A board that was reset in the middle of a run says nothing until it is greeted. It stays limp: that is for the caller to see. */
  #greetAgain(board: Board): void {
    const nowUs = this.#options.clock.nowUs();
    if (nowUs - this.#helloUs < helloEveryUs) return;
    this.#helloUs = nowUs;
    board.hello();
  }

  async #configure(board: Board, info: InfoMessage): Promise<void> {
    const payload = encodeConfig(this.#map.config);
    this.#digest = crc32(payload);
    if (info.configDigest === this.#digest) return;
    let answer = await board.ask(messageType.config, payload, 0, configTries);
    if (answer !== undefined && 'nack' in answer && answer.nack.reason === 'notNow') {
      await this.#sample(board);
      await this.halt('hold');
      answer = await board.ask(messageType.config, payload, 0, configTries);
    }
    if (answer !== undefined && 'ack' in answer && answer.ack.value === this.#digest) return;
    const why =
      answer === undefined
        ? 'no answer came'
        : 'nack' in answer
          ? reasonWords[answer.nack.reason]
          : 'it has taken another one';
    throw new KitError(
      'E_CONFIG_REFUSED',
      `the board refuses its configuration: ${why}`,
      'check ranges and pulses in robot.json and site.json',
      'usage',
    );
  }

  /** The next sample that comes. */
  async #sample(board: Board): Promise<Sample> {
    const before = board.sample?.number ?? 0;
    if (!(await board.wait(sampleTimeoutUs, () => (board.sample?.number ?? 0) > before)))
      throw new KitError(
        'E_NO_SAMPLE',
        `the board sent no sample within ${sampleTimeoutUs / 1000} ms`,
        'check the cable',
        'timeout',
      );
    return board.sample!;
  }

  /** What asks for the present position, in `#ticks`. @returns [joints] the same in rad */
  #presentTicks(channels: readonly { readonly counts: number }[]): Float64Array {
    const present = new Float64Array(this.#options.spec.joints.length);
    this.#map.toAngles(channels, present);
    keepInside(this.#options.spec, present);
    this.#map.toTicks(present, this.#ticks);
    return present;
  }
}
