/** A local bus for the bridge, in virtual time: the rules of `ServoMotion`, a deadline of its own, and a note of all it was told. */
import type { BusCycle } from '@sim2servo/models/bus-cycle';
import { KitError } from '@sim2servo/models/error';
import type { SharedClock } from '../../src/mqtt/shared-clock.js';
import { type HaltKind, notArmed, type ServoLink, type ServoMotion, type ServoState } from '../../src/servo-link.js';

const periodUs = 20_000;
/** Between a question and its answer. */
const answerUs = 3_000;

export class VirtualBus implements ServoLink, ServoMotion {
  readonly #clock: SharedClock;
  /** Streams a sample a period; else it answers when it is asked, which takes a while. */
  readonly #streams: boolean;
  readonly #deadlineUs: number;
  /** Of one that is asked: what it costs, 3 ms. */
  readonly cycle?: BusCycle;
  #device: ServoState['device'] = 'limp';
  #fedUs = 0;
  #lastSample = 0;
  /** Where the arm is: where it was told to go. */
  readonly position = Float64Array.of(0.1, 1);
  /** Each target and halt with its time. */
  readonly told: { readonly timeUs: number; readonly what: readonly number[] | HaltKind | 'arm' }[] = [];
  /** Thrown by the next call. */
  failure: KitError | undefined;
  reading = false;
  closed = false;

  constructor(clock: SharedClock, { streams = true, deadlineMs = 60 } = {}) {
    this.#clock = clock;
    this.#streams = streams;
    this.#deadlineUs = deadlineMs * 1000;
    if (!streams)
      this.cycle = { servos: 2, baudRate: 1_000_000, readBytes: 200, writeBytes: 50, returnDelayUs: answerUs - 2500 };
  }

  get device(): ServoState['device'] {
    if (this.#device === 'armed' && this.#clock.nowUs() - this.#fedUs > this.#deadlineUs) this.#device = 'latched';
    return this.#device;
  }

  async open(): Promise<ServoMotion> {
    this.#check();
    return this;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  async read(out: ServoState, timeoutUs: number): Promise<boolean> {
    const clock = this.#clock;
    this.reading = true;
    const sample = Math.floor(clock.nowUs() / periodUs) + 1;
    if (this.#streams) {
      const dueUs = Math.max(sample, this.#lastSample + 1) * periodUs;
      await clock.waitUntil(Math.min(dueUs, clock.nowUs() + timeoutUs));
      this.#check();
      this.reading = false;
      if (clock.nowUs() < dueUs) return false;
      this.#lastSample = sample;
    } else {
      await clock.waitUntil(clock.nowUs() + answerUs);
      this.#check();
      this.reading = false;
    }
    out.position.set(this.position);
    out.sampledAtUs = clock.nowUs();
    out.sample++;
    out.device = this.device;
    out.reason = out.device === 'latched' ? 'its own deadline' : '';
    out.periodUs = this.#streams ? periodUs : 0;
    return true;
  }

  write(targets: Float64Array): void {
    this.#check();
    if (this.#device === 'limp') notArmed();
    if (!this.#streams && this.reading) throw new Error('two talk on the bus at once');
    this.told.push({ timeUs: this.#clock.nowUs(), what: Array.from(targets) });
    if (this.device !== 'armed') return;
    this.position.set(targets);
    this.#fedUs = this.#clock.nowUs();
  }

  async arm(): Promise<Float64Array> {
    await this.#clock.waitUntil(this.#clock.nowUs() + 30_000);
    this.#check();
    if (this.position[0]! > 2)
      throw new KitError('E_ARM_OUTSIDE', "joint 'shoulder' stands outside its range", 'move it back', 'safetyStop');
    this.told.push({ timeUs: this.#clock.nowUs(), what: 'arm' });
    this.#device = 'armed';
    this.#fedUs = this.#clock.nowUs();
    return this.position.slice();
  }

  async halt(kind: HaltKind): Promise<void> {
    this.#check();
    this.told.push({ timeUs: this.#clock.nowUs(), what: kind });
    this.#device = kind === 'hold' ? (this.device === 'limp' ? 'limp' : 'held') : 'limp';
  }
}
