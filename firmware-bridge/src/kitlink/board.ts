/**
 * One open port with a board behind it: frames out, frames in, questions that are asked until they are answered. It knows nothing of
 * joints and decides nothing. All waiting goes through the clock, so it runs in virtual time as well.
 */
import { wireUs } from '@sim2servo/models/bus-cycle';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { ByteStream } from '../byte-stream.js';
import { BoardClock } from './board-clock.js';
import { crcBytes, encodeFrame, type Frame, headerBytes, protocolVersion } from './frame.js';
import { FrameReader } from './frame-reader.js';
import {
  type AckMessage,
  decodeAck,
  decodeInfo,
  decodeNack,
  decodeState,
  type InfoMessage,
  messageType,
  type NackMessage,
  type StateMessage,
} from './messages.js';

/** A STATE frame and what is known about it. */
export interface Sample {
  readonly state: StateMessage;
  /** Counts up. */
  readonly number: number;
  /** The session the board was last armed in, 0 since its reset. */
  readonly session: number;
  /** On the host's clock. */
  readonly sampledAtUs: number;
}

export type Answer = ({ readonly ack: AckMessage } | { readonly nack: NackMessage }) & {
  /** The session the board was last armed in, 0 since its reset. */
  readonly session: number;
};

/** Header, CRC, COBS and delimiter around a payload. */
const frameOverheadBytes = headerBytes + crcBytes + 2;
const answerTimeoutUs = 50_000;

export class Board {
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #baudRate: number;
  readonly #reader = new FrameReader(frame => this.#receive(frame));
  readonly #boardClock = new BoardClock();
  #closed: KitError | undefined;
  #sequence = 0;
  #answer: { readonly sequence: number; readonly answer: Answer } | undefined;
  #wake: (() => void) | undefined;
  /** Bytes that came, whether or not they were frames. */
  bytes = 0;
  info: InfoMessage | undefined;
  sample: Sample | undefined;
  /** Of the last motion that was answered, without the time for which the board sat on it. NaN before the first. */
  roundTripUs = Number.NaN;

  constructor(stream: ByteStream, clock: Clock, baudRate: number) {
    this.#stream = stream;
    this.#clock = clock;
    this.#baudRate = baudRate;
    stream.onData(chunk => {
      this.bytes += chunk.length;
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
  }

  /** Good frames that came. */
  get frames(): number {
    return this.#reader.frames;
  }

  /** Frames lost on the way, both directions. */
  get linkErrors(): number {
    const there = this.sample?.state.counters;
    const lostThere = there === undefined ? 0 : there.badChecksum + there.badFormat + there.overruns + there.dropped;
    return this.#reader.badChecksum + this.#reader.badFormat + lostThere;
  }

  send(type: number, payload: Uint8Array = new Uint8Array(0), session = 0): void {
    this.checkOpen();
    this.#stream.write(this.#frame(type, payload, session));
  }

  /** With a zero before it, which ends whatever half a frame the board still holds. */
  hello(): void {
    this.checkOpen();
    this.#stream.write(Uint8Array.of(0));
    this.send(messageType.hello);
  }

  /** The same frame up to `tries` times, as the board answers a repeated one as it did the first; undefined where no answer came. */
  async ask(type: number, payload: Uint8Array, session: number, tries: number): Promise<Answer | undefined> {
    const frame = this.#frame(type, payload, session);
    const sequence = this.#sequence;
    for (let attempt = 0; attempt < tries; attempt++) {
      this.checkOpen();
      this.#stream.write(frame);
      if (await this.wait(answerTimeoutUs, () => this.#answer?.sequence === sequence)) return this.#answer!.answer;
    }
    return undefined;
  }

  /** Waits until `done`, at most `timeoutUs`. @throws KitError E_PORT_CLOSED */
  async wait(timeoutUs: number, done: () => boolean): Promise<boolean> {
    const until = this.#clock.nowUs() + timeoutUs;
    while (!done()) {
      this.checkOpen();
      if (this.#clock.nowUs() >= until) return false;
      const event = new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      await this.#clock.waitUntil(until, event);
    }
    return true;
  }

  checkOpen(): void {
    if (this.#closed !== undefined) throw this.#closed;
  }

  close(): Promise<void> {
    return this.#stream.close();
  }

  #frame(type: number, payload: Uint8Array, session: number): Uint8Array {
    this.#sequence = (this.#sequence + 1) >>> 0;
    const timeUs = this.#clock.nowUs() >>> 0;
    return encodeFrame({ version: protocolVersion, type, session, sequence: this.#sequence, timeUs, payload });
  }

  #receive(frame: Frame): void {
    const nowUs = this.#clock.nowUs();
    switch (frame.type) {
      case messageType.info:
        this.info = decodeInfo(frame.payload) ?? this.info;
        break;
      case messageType.ack: {
        const ack = decodeAck(frame.payload);
        if (ack !== undefined) this.#answer = { sequence: ack.sequence, answer: { ack, session: frame.session } };
        break;
      }
      case messageType.nack: {
        const nack = decodeNack(frame.payload);
        if (nack !== undefined) this.#answer = { sequence: nack.sequence, answer: { nack, session: frame.session } };
        break;
      }
      case messageType.state:
        this.#receiveState(frame, nowUs);
        break;
      default:
        return;
    }
    this.#notify();
  }

  #receiveState(frame: Frame, nowUs: number): void {
    const state = decodeState(frame.payload);
    if (state === undefined) return;
    this.#boardClock.observe(frame.timeUs, nowUs, wireUs(frame.payload.length + frameOverheadBytes, this.#baudRate));
    const before = this.sample?.state;
    /* What the first sample echoes was sent before our time. */
    if (before !== undefined && state.motionReceivedUs !== before.motionReceivedUs) {
      const sat = (frame.timeUs - state.motionReceivedUs) >>> 0;
      this.roundTripUs = ((nowUs >>> 0) - state.motionHostUs - sat) >>> 0;
    }
    const sampledAtUs = this.#boardClock.toHost(state.sampleUs);
    this.sample = { state, number: (this.sample?.number ?? 0) + 1, session: frame.session, sampledAtUs };
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
