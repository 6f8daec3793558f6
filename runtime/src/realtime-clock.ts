/**
 * The clock of a real run. Timers of libuv are good to a millisecond only, so the last of a wait is spun.
 *
 * While it spins the event loop turns every {@link turnUs}: serial data arrive there, and nowhere else. Sleeping until the data come
 * instead would cost a wake-up and cold caches at the worst moment.
 *
 * A thread with real-time priority is woken at once, so it sleeps through most of what others have to spin, and spins only the last
 * {@link wakeUs}: less work for the processor and, measured, ten times less lateness (docs/timing.md).
 */
import type { Clock } from '@sim2servo/models/clock';

/** A clock that can keep the processor awake while somebody else awaits data. */
export interface AttentiveClock extends Clock {
  /** Spins, event loop turning, until `timeUs` or {@link relax}. Returns at once. */
  attend?(timeUs: number): void;
  relax?(): void;
}

/** Timers may fire up to 1 ms early and about as much late. */
const spinUs = 1_500;
const turnUs = 30;
/** What being woken takes a thread with real-time priority, at most, as a rule. */
const wakeUs = 150;
/** The event loop turns between two sleeps. */
const longestSleepUs = 1_000;

export class RealtimeClock implements AttentiveClock {
  readonly #hasPriority: boolean;
  /** Nobody ever wakes it: slept on with a timeout that is exact to microseconds, which no timer of the event loop is. */
  readonly #bed = new Int32Array(new SharedArrayBuffer(4));
  #attendUntilUs = 0;
  #attending = false;

  /** @param hasPriority whether this thread was given real-time priority (realtime-priority.ts) */
  constructor(hasPriority = false) {
    this.#hasPriority = hasPriority;
  }

  nowUs(): number {
    return performance.now() * 1000;
  }

  waitUntil(timeUs: number, wake?: Promise<unknown>): Promise<void> {
    return new Promise(resolve => {
      let over = false;
      let timer: NodeJS.Timeout | undefined;
      const finish = () => {
        over = true;
        clearTimeout(timer);
        resolve();
      };
      // Who waits for something besides must not sleep: only the event loop brings it.
      const sleeps = this.#hasPriority && wake === undefined;
      const turn = () => {
        if (over) return;
        if (sleeps && this.#sleep(timeUs - wakeUs)) this.#spin(timeUs);
        if (this.#spinTurn(timeUs)) finish();
        else setImmediate(turn);
      };
      wake?.then(finish, finish);
      const sleepMs = Math.floor((timeUs - this.nowUs() - spinUs) / 1000);
      if (sleepMs >= 1) timer = setTimeout(turn, sleepMs);
      else if (sleeps) setImmediate(turn);
      else turn();
    });
  }

  /** Sleeps a while; whether `untilUs` is over. */
  #sleep(untilUs: number): boolean {
    const forUs = untilUs - this.nowUs();
    if (forUs > 0) Atomics.wait(this.#bed, 0, 0, Math.min(forUs, longestSleepUs) / 1000);
    return forUs <= longestSleepUs;
  }

  #spin(untilUs: number): void {
    while (this.nowUs() < untilUs);
  }

  attend(timeUs: number): void {
    this.#attendUntilUs = timeUs;
    if (this.#attending) return;
    this.#attending = true;
    setImmediate(this.#keepTurning);
  }

  relax(): void {
    this.#attendUntilUs = 0;
  }

  readonly #keepTurning = (): void => {
    if (this.#spinTurn(this.#attendUntilUs)) this.#attending = false;
    else setImmediate(this.#keepTurning);
  };

  /** Spins for one turn at most; whether `timeUs` is over. */
  #spinTurn(timeUs: number): boolean {
    const until = Math.min(timeUs, this.nowUs() + turnUs);
    this.#spin(until);
    return this.nowUs() >= timeUs;
  }
}
