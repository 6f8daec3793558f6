/** Virtual time for several who wait at once: it goes on, from one waiter's instant to the next, only while its owner lets it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@sim2servo/models/clock';

interface Waiter {
  readonly timeUs: number;
  readonly fire: () => void;
}

export class SharedClock implements Clock {
  #nowUs: number;
  readonly #waiters = new Set<Waiter>();

  constructor(startUs = 1_000_000) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  after(us: number, fire: () => void): void {
    this.#waiters.add({ timeUs: this.#nowUs + us, fire });
  }

  waitUntil(timeUs: number, wake?: Promise<unknown>): Promise<void> {
    return new Promise(resolve => {
      const waiter = { timeUs, fire: resolve };
      this.#waiters.add(waiter);
      void wake?.then(() => {
        this.#waiters.delete(waiter);
        resolve();
      });
    });
  }

  /** Lets time run on for `us`, or until `done`. */
  async pass(us: number, done: () => boolean = () => false): Promise<void> {
    const until = this.#nowUs + us;
    for (;;) {
      await new Promise(resolve => setImmediate(resolve));
      if (done()) return;
      let next: Waiter | undefined;
      for (const waiter of this.#waiters) if (next === undefined || waiter.timeUs < next.timeUs) next = waiter;
      if (next === undefined || next.timeUs > until) break;
      this.#waiters.delete(next);
      this.#nowUs = Math.max(this.#nowUs, next.timeUs);
      next.fire();
    }
    this.#nowUs = until;
  }

  /** Lets time keep pace with this machine's, until `done`: where others work meanwhile who know only that one. */
  async keepPace(done: () => boolean): Promise<void> {
    for (let last = performance.now(); !done(); await sleep(1)) {
      const now = performance.now();
      await this.pass((now - last) * 1000);
      last = now;
    }
  }

  /** What comes of `work` while time runs. */
  async during<T>(work: Promise<T>, atMostUs = 20_000_000): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    work.then(end, end);
    await this.pass(atMostUs, () => over);
    if (!over) throw new Error(`it was not over after ${atMostUs / 1e6} s`);
    return work;
  }
}
