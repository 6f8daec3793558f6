/**
 * The other end of a port as a script: what a board answers to each frame, a moment later. For what a good board never does; the good one
 * is the real core (`host-board.ts`).
 */
import type { ByteStream } from '../../src/byte-stream.js';
import { encodeFrame, type Frame } from '../../src/kitlink/frame.js';
import { FrameReader } from '../../src/kitlink/frame-reader.js';
import { messageType } from '../../src/kitlink/messages.js';
import { bytesOf, frameVectors } from './vectors.js';
import type { VirtualClock } from './virtual-clock.js';

const answerUs = 1000;

/** The payload of a vector, as something to start from. */
export function payloadOf(name: string): { readonly payload: Uint8Array; readonly view: DataView } {
  const vector = frameVectors.vectors.find(v => v.name === name);
  if (vector === undefined) throw new Error(`there is no vector '${name}'`);
  const payload = bytesOf(vector.frame.payload);
  return { payload, view: new DataView(payload.buffer) };
}

export class ScriptedBoard implements ByteStream {
  readonly #clock: VirtualClock;
  readonly #answer: (frame: Frame, board: ScriptedBoard) => void;
  #receive: (chunk: Uint8Array) => void = () => {};
  #ended: (reason: Error | undefined) => void = () => {};
  #sequence = 0;
  /** In every header, as the firmware's: the one it was last armed in, 0 since a reset. */
  session = 0;
  /** Types of the frames that came, in order. */
  readonly heard: number[] = [];
  closed = false;

  constructor(clock: VirtualClock, answer: (frame: Frame, board: ScriptedBoard) => void) {
    this.#clock = clock;
    this.#answer = answer;
  }

  write(bytes: Uint8Array): void {
    if (!this.closed) this.#reader.push(bytes);
  }

  readonly #reader = new FrameReader(frame => {
    this.heard.push(frame.type);
    this.#answer(frame, this);
  });

  onData(receive: (chunk: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onClose(closed: (reason: Error | undefined) => void): void {
    this.#ended = closed;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.#ended(undefined);
  }

  /** The cable is pulled. */
  vanish(reason: string): void {
    this.closed = true;
    this.#ended(new Error(reason));
  }

  say(type: number, payload: Uint8Array, version = 1): void {
    const timeUs = this.#clock.nowUs() >>> 0;
    const bytes = encodeFrame({ version, type, session: this.session, sequence: ++this.#sequence, timeUs, payload });
    this.babble(bytes);
  }

  babble(bytes: Uint8Array): void {
    this.#clock.after(answerUs, () => {
      if (!this.closed) this.#receive(bytes);
    });
  }

  info(version = 1, channels = 2): void {
    const { payload } = payloadOf('INFO');
    payload[0] = version;
    payload[1] = channels;
    this.say(messageType.info, payload, version);
  }

  ack(frame: Frame, value: number): void {
    if (frame.type === messageType.arm) this.session = frame.session;
    const { payload, view } = payloadOf('ACK of ARM');
    payload[0] = frame.type;
    view.setUint32(1, frame.sequence, true);
    view.setUint32(13, value, true);
    this.say(messageType.ack, payload);
  }

  nack(frame: Frame, reason: string): void {
    const { payload, view } = payloadOf(`NACK ${reason}`);
    payload[0] = frame.type;
    view.setUint32(2, frame.sequence, true);
    this.say(messageType.nack, payload);
  }

  /** STATE every 20 ms from now on. */
  stream(counts: readonly [number, number] = [512, 512]): void {
    const { payload, view } = payloadOf('STATE held');
    for (const [i, count] of counts.entries()) view.setUint16(52 + 4 * i, count, true);
    const next = () => {
      if (this.closed) return;
      view.setUint32(0, this.#clock.nowUs() >>> 0, true);
      this.say(messageType.state, payload);
      this.#clock.after(20_000, next);
    };
    next();
  }
}
