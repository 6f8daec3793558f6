/**
 * A board and an arm in memory, in virtual time, for the loop's tests: samples once an output period at a fixed phase, sends the sample
 * some time later, latches when it hears nothing for its deadline. Faults are switched on by the tests.
 */
import type { HaltKind, ServoMotion, ServoState } from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';

export class VirtualClock implements Clock {
  #nowUs = 1_000_000;

  nowUs(): number {
    return this.#nowUs;
  }

  /** Time that something takes. */
  advance(us: number): void {
    this.#nowUs += us;
  }

  async waitUntil(timeUs: number): Promise<void> {
    this.#nowUs = Math.max(this.#nowUs, timeUs);
  }
}

export interface BoardOptions {
  readonly position: readonly number[];
  /** True period of the board on the host's clock; it believes in 20 000. */
  readonly truePeriodUs?: number;
  /** What it reports; 0: a bus without periods, which samples when asked. */
  readonly periodUs?: number;
  readonly samplePhaseUs?: number;
  readonly transportUs?: number;
  readonly deadlineUs?: number;
  readonly speed?: number;
}

export class VirtualBoard implements ServoMotion {
  readonly clock: VirtualClock;
  readonly position: Float64Array;
  readonly writes: { atUs: number; targets: number[] }[] = [];
  readonly halts: HaltKind[] = [];
  device: ServoState['device'] = 'limp';
  reason = '';
  arms = 0;
  /** What each sample is given before it is handed out. */
  spoil: (state: ServoState, index: number) => void = () => {};
  /** Whether sample `index` gets lost. */
  loses: (index: number) => boolean = () => false;
  /** Thrown by the next call. */
  failure: Error | undefined;
  recordWrites = true;

  readonly #o: Required<BoardOptions>;
  readonly #targets: Float64Array;
  readonly #originUs: number;
  #lastSample = -1;
  #movedUs: number;
  #fedUs = 0;

  constructor(clock: VirtualClock, options: BoardOptions) {
    this.clock = clock;
    this.#o = {
      truePeriodUs: options.periodUs || 20_000,
      periodUs: 20_000,
      samplePhaseUs: 12_000,
      transportUs: 1_200,
      deadlineUs: 60_000,
      speed: 5,
      ...options,
    };
    this.position = Float64Array.from(options.position);
    this.#targets = Float64Array.from(options.position);
    this.#originUs = clock.nowUs() + 3_210;
    this.#movedUs = clock.nowUs();
  }

  async read(state: ServoState, timeoutUs: number): Promise<boolean> {
    this.#check();
    const { truePeriodUs, periodUs, samplePhaseUs, transportUs } = this.#o;
    const until = this.clock.nowUs() + timeoutUs;
    let sampledAtUs = this.clock.nowUs();
    if (periodUs > 0) {
      const newest = Math.floor((this.clock.nowUs() - transportUs - samplePhaseUs - this.#originUs) / truePeriodUs);
      let index = newest > this.#lastSample ? newest : this.#lastSample + 1;
      const arrivalOf = (i: number) => this.#originUs + samplePhaseUs + i * truePeriodUs + transportUs;
      while (this.loses(index) && arrivalOf(index) <= until) index++;
      const arrival = arrivalOf(index);
      sampledAtUs = arrival - transportUs;
      await this.clock.waitUntil(Math.min(until, arrival));
      if (arrival > until) return false;
      this.#lastSample = index;
    } else {
      if (this.loses(this.#lastSample + 1)) {
        this.#lastSample++;
        await this.clock.waitUntil(until);
        return false;
      }
      this.#lastSample++;
    }
    this.#move(sampledAtUs);
    state.position.set(this.position);
    state.sampledAtUs = sampledAtUs;
    state.sample = this.#lastSample;
    state.device = this.device;
    state.reason = this.reason;
    state.phaseUs = periodUs > 0 ? samplePhaseUs : 0;
    state.periodUs = periodUs;
    this.spoil(state, this.#lastSample);
    return true;
  }

  write(targets: Float64Array): void {
    this.#check();
    this.#move(this.clock.nowUs());
    if (this.recordWrites) this.writes.push({ atUs: this.clock.nowUs(), targets: [...targets] });
    if (this.device !== 'armed') return;
    this.#targets.set(targets);
    this.#fedUs = this.clock.nowUs();
  }

  async arm(): Promise<Float64Array> {
    this.#check();
    this.#move(this.clock.nowUs());
    this.arms++;
    this.#targets.set(this.position);
    this.device = 'armed';
    this.#fedUs = this.clock.nowUs();
    return this.position.slice();
  }

  async halt(kind: HaltKind): Promise<void> {
    this.halts.push(kind);
    this.#check();
    this.device = kind === 'hold' ? 'held' : 'limp';
  }

  #check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** The servos run towards their targets at their own speed, until the deadline latches. */
  #move(nowUs: number): void {
    const seconds = Math.max(0, nowUs - this.#movedUs) / 1e6;
    this.#movedUs = Math.max(this.#movedUs, nowUs);
    if (this.device === 'armed' && nowUs - this.#fedUs > this.#o.deadlineUs) {
      this.device = 'latched';
      this.reason = `no motion for ${this.#o.deadlineUs / 1000} ms`;
    }
    if (this.device !== 'armed') return;
    for (let j = 0; j < this.position.length; j++) {
      const way = this.#targets[j]! - this.position[j]!;
      this.position[j]! += Math.sign(way) * Math.min(Math.abs(way), this.#o.speed * seconds);
    }
  }
}
