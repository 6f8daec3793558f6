/** A host that speaks the protocol frame by frame, so that a test may break each of its rules. */
import type { Clock } from '@sim2servo/models/clock';
import type { ByteStream } from '../../src/byte-stream.js';
import { crc32 } from '../../src/kitlink/crc32.js';
import { encodeFrame, protocolVersion } from '../../src/kitlink/frame.js';
import { FrameReader } from '../../src/kitlink/frame-reader.js';
import {
  type AckMessage,
  type ConfigMessage,
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
  type StateMessage,
} from '../../src/kitlink/messages.js';

export const someConfig: ConfigMessage = {
  deadlineMs: 60,
  samplePhaseTicks: 24_000,
  channels: [
    { minTicks: 1200, maxTicks: 4800, maxStepTicks: 100 },
    { minTicks: 1200, maxTicks: 4800, maxStepTicks: 200 },
  ],
};
export const someDigest = crc32(encodeConfig(someConfig));

export class RawHost {
  readonly #stream: ByteStream;
  readonly #clock: Clock & { advance(us: number): Promise<void> };
  sequence = 0;
  session = 0;
  nonce = 0;
  info: InfoMessage | undefined;
  state: StateMessage | undefined;
  states = 0;
  /** Answers since the last {@link said}. */
  readonly #answers: (AckMessage | NackMessage)[] = [];

  constructor(stream: ByteStream, clock: Clock & { advance(us: number): Promise<void> }) {
    this.#stream = stream;
    this.#clock = clock;
    const reader = new FrameReader(({ type, payload }) => {
      if (type === messageType.info) this.info = decodeInfo(payload);
      if (type === messageType.state) {
        this.state = decodeState(payload);
        this.states++;
      }
      const answer =
        type === messageType.ack ? decodeAck(payload) : type === messageType.nack ? decodeNack(payload) : undefined;
      if (answer !== undefined) this.#answers.push(answer);
    });
    stream.onData(chunk => reader.push(chunk));
  }

  /** Sends a frame and gives it two milliseconds; says what was answered: `ack`, the reason of a refusal, or `silence`. */
  async send(
    type: number,
    payload: Uint8Array,
    over: { session?: number; sequence?: number; version?: number } = {},
  ): Promise<string> {
    this.#answers.length = 0;
    const { session = this.session, sequence = ++this.sequence, version = protocolVersion } = over;
    const timeUs = this.#clock.nowUs() >>> 0;
    this.#stream.write(encodeFrame({ version, type, session, sequence, timeUs, payload }));
    await this.#clock.advance(2000);
    const answer = this.#answers.at(-1);
    if (answer === undefined) return 'silence';
    if ('value' in answer) {
      if (type === messageType.arm) this.nonce = answer.value;
      return 'ack';
    }
    return answer.reason;
  }

  hello(): Promise<string> {
    return this.send(messageType.hello, new Uint8Array(0));
  }

  configure(config: ConfigMessage = someConfig): Promise<string> {
    return this.send(messageType.config, encodeConfig(config));
  }

  /** Arms with a sample of this moment unless told otherwise. */
  arm(
    session: number,
    pulseTicks: readonly number[] = [3000, 3000],
    over: { digest?: number; sampleUs?: number } = {},
  ): Promise<string> {
    this.session = session;
    const { digest = someDigest, sampleUs = this.state?.sampleUs ?? 0 } = over;
    return this.send(messageType.arm, encodeArm({ configDigest: digest, sampleUs, pulseTicks }));
  }

  motion(
    pulseTicks: readonly number[],
    over: { session?: number; sequence?: number; nonce?: number; sampleUs?: number } = {},
  ): Promise<string> {
    const { nonce = this.nonce, sampleUs = this.state?.sampleUs ?? 0 } = over;
    return this.send(messageType.motion, encodeMotion({ nonce, sampleUs, pulseTicks }), over);
  }

  halt(kind: 'hold' | 'relax', over: { session?: number; sampleUs?: number } = {}): Promise<string> {
    return this.send(
      messageType.halt,
      encodeHalt({ kind, sampleUs: over.sampleUs ?? this.state?.sampleUs ?? 0 }),
      over,
    );
  }

  /** Until the next STATE. */
  async nextState(): Promise<StateMessage> {
    const before = this.states;
    for (let i = 0; i < 50 && this.states === before; i++) await this.#clock.advance(1000);
    if (this.states === before) throw new Error('no STATE came within 50 ms');
    return this.state!;
  }

  /** Greets, configures and arms a board that was just reset. */
  async ready(session = 77, pulseTicks: readonly number[] = [3000, 3000]): Promise<void> {
    await this.hello();
    await this.nextState();
    for (const answer of [await this.configure(), await this.arm(session, pulseTicks)])
      if (answer !== 'ack') throw new Error(`the board answered ${answer}`);
  }
}
