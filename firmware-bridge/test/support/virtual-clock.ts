/** Time that passes only while somebody waits. What the other end of a port does later stands in a list of events. */
import type { Clock } from '@sim2servo/models/clock';

interface Event {
  readonly timeUs: number;
  readonly happen: () => void;
}

export class VirtualClock implements Clock {
  #nowUs: number;
  readonly #events: Event[] = [];

  constructor(startUs = 1_000_000) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  after(us: number, happen: () => void): void {
    const timeUs = this.#nowUs + us;
    const later = this.#events.findIndex(event => event.timeUs > timeUs);
    this.#events.splice(later < 0 ? this.#events.length : later, 0, { timeUs, happen });
  }

  async waitUntil(timeUs: number, wake?: Promise<unknown>): Promise<void> {
    let awake = false;
    void wake?.then(() => {
      awake = true;
    });
    for (;;) {
      /* Two turns of the queue: whoever resolves `wake` may itself have been awaited. */
      await Promise.resolve();
      await Promise.resolve();
      if (awake) return;
      const next = this.#events[0];
      if (next === undefined || next.timeUs > timeUs) break;
      this.#events.shift();
      this.#nowUs = Math.max(this.#nowUs, next.timeUs);
      next.happen();
    }
    this.#nowUs = Math.max(this.#nowUs, timeUs);
  }
}
