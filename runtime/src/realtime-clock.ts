/**
 * The clock of a real run. Timers of libuv are good to a millisecond only, so the last of a wait is spun.
 *
 * While it spins the event loop turns every {@link turnUs}: serial data arrive there, and nowhere else. Sleeping until the data come
 * instead would cost a wake-up and cold caches at the worst moment.
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

export class RealtimeClock implements AttentiveClock {
  #attendUntilUs = 0;
  #attending = false;

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
      const turn = () => {
        if (over) return;
        if (this.#spinTurn(timeUs)) finish();
        else setImmediate(turn);
      };
      wake?.then(finish, finish);
      const sleepMs = Math.floor((timeUs - this.nowUs() - spinUs) / 1000);
      if (sleepMs >= 1) timer = setTimeout(turn, sleepMs);
      else turn();
    });
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
    let now = this.nowUs();
    while (now < until) now = this.nowUs();
    return now >= timeUs;
  }
}
