/**
 * Episodes of a recording, and the time between them: a goal source for the control loop, steered by a person who ends an episode early,
 * throws it away, or goes on at once.
 *
 * What is recorded between the episodes, and an episode that was thrown away, is `void`: in the raw log its last record is not truncated, and
 * it is no result of the run. `demonstrations.ts` makes the log of what was kept.
 */
import type { GoalSource } from '../goal-source.js';

export interface TakesOptions {
  readonly episodes: number;
  readonly ticksEach: number;
  /** Ticks to put things back before each episode. */
  readonly resetTicks: number;
  /** Whether the arm follows already; no episode begins before. */
  readonly ready: () => boolean;
}

export type TakePhase = 'reset' | 'episode' | 'over';

export class Takes implements GoalSource {
  readonly #o: TakesOptions;
  #phase: TakePhase = 'reset';
  #begun = false;
  #ticks = 0;
  #wish: 'end' | 'discard' | undefined;
  #discarded = false;
  /** Of each episode that counted when it ended, in order: whether it is still wanted. */
  readonly #wanted: boolean[] = [];
  #broken = 0;

  constructor(options: TakesOptions) {
    this.#o = options;
  }

  get phase(): TakePhase {
    return this.#phase;
  }

  /** Ticks that the present phase still lasts, unless somebody ends it. */
  get ticksLeft(): number {
    const { ticksEach, resetTicks } = this.#o;
    return Math.max(0, (this.#phase === 'episode' ? ticksEach : resetTicks) - this.#ticks);
  }

  /** Ends the episode here and keeps it; between two, begins the next one. */
  end(): void {
    this.#wish = 'end';
  }

  /** Throws the running episode away; between two, the one before. */
  discard(): void {
    if (this.#phase === 'episode') this.#wish = 'discard';
    else if (this.#wanted.length > 0) this.#wanted[this.#wanted.length - 1] = false;
  }

  get kept(): number {
    return this.#wanted.filter(Boolean).length;
  }

  get thrownAway(): number {
    return this.#broken + this.#wanted.length - this.kept;
  }

  /** Those of the run's results that are kept. */
  keptOf<Result>(results: readonly Result[]): Result[] {
    return results.filter((_, i) => this.#wanted[i]);
  }

  /** The goal stays what it is: what a demonstration was for is known at its end. */
  next(): number {
    if (this.#begun) this.#turn();
    this.#begun = true;
    this.#ticks = 0;
    this.#wish = undefined;
    this.#discarded = false;
    if (this.#phase === 'over') return 0;
    return this.#phase === 'episode' ? this.#o.ticksEach : Number.POSITIVE_INFINITY;
  }

  #turn(): void {
    if (this.#phase === 'reset') {
      this.#phase = 'episode';
      return;
    }
    if (this.#discarded) this.#broken++;
    else this.#wanted.push(true);
    this.#phase = this.kept < this.#o.episodes ? 'reset' : 'over';
  }

  ends(): 'counted' | 'void' | undefined {
    this.#ticks++;
    if (this.#phase === 'reset') {
      const due = this.#ticks > this.#o.resetTicks || this.#wish === 'end';
      return due && this.#o.ready() ? 'void' : undefined;
    }
    this.#discarded = this.#wish === 'discard';
    if (this.#discarded) return 'void';
    return this.#wish === 'end' ? 'counted' : undefined;
  }
}
