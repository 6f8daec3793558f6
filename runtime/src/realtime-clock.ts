/**
 * The clock of a real run. Timers of libuv are good to a millisecond only, so the last of a wait is slept on a futex, which is good to
 * some ten µs, and only the very end is spun.
 *
 * Spinning longer would not be more punctual, it would be less: bytes of a serial port pass through threads of the kernel, and where a loop
 * keeps a core they wait for it (docs/timing.md has the figures). For the same reason who awaits data sleeps in the event loop.
 */
import { writeFileSync } from 'node:fs';
import type { Clock } from '@sim2servo/models/clock';
import { collectYoung } from './gc-pauses.js';

/** Timers may fire up to 1 ms early and about as much late. */
const timerUs = 1_500;
/** What being woken from a futex takes, at most, as a rule. */
const wakeUs = 150;
/** Between two looks at the time at least: about a microsecond. */
const fewestSpins = 200;
/** No processor is faster, whatever a clock that stood still says. */
const mostSpinsPerUs = 1_000;
/**
 * What has gathered is collected at the beginning of a wait, where there is time for it. In the megabyte that V8 gives young objects a loop
 * gathers for a second or more.
 */
const collectEveryUs = 400_000;
const collectUs = 800;
/** The event loop turns between two sleeps. */
const longestSleepUs = 1_000;

/** Linux lets an ordinary thread sleep 50 µs longer than it asked for, to save wake-ups. A control loop has none to save. */
function tightenTimers(): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/timerslack_ns', '1');
  } catch (error) {
    // A sandbox may keep /proc from us: then wake-ups are as late as `kit doctor --rt` says.
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

export class RealtimeClock implements Clock {
  /** Nobody ever wakes it: slept on with a timeout. */
  readonly #bed = new Int32Array(new SharedArrayBuffer(4));
  /** How fast this processor was the last time. */
  #spinsPerUs = 0;
  #collectedUs = 0;

  constructor() {
    tightenTimers();
  }

  nowUs(): number {
    return performance.now() * 1000;
  }

  waitUntil(timeUs: number, wake?: Promise<unknown>): Promise<void> {
    return wake === undefined ? this.#waitUntil(timeUs) : this.#waitFor(wake, timeUs);
  }

  #waitUntil(timeUs: number): Promise<void> {
    const nowUs = this.nowUs();
    if (nowUs > this.#collectedUs + collectEveryUs && timeUs > nowUs + collectUs) {
      this.#collectedUs = nowUs;
      collectYoung();
    }
    return new Promise(resolve => {
      const turn = () => {
        if (!this.#sleep(timeUs - wakeUs)) setImmediate(turn);
        else {
          this.#spinUntil(timeUs);
          resolve();
        }
      };
      const timerMs = Math.floor((timeUs - this.nowUs() - timerUs) / 1000);
      if (timerMs >= 1) setTimeout(turn, timerMs);
      else setImmediate(turn);
    });
  }

  /** In the event loop, since only that brings what is waited for. Its end may be a millisecond late. */
  #waitFor(wake: Promise<unknown>, timeUs: number): Promise<void> {
    return new Promise(resolve => {
      let timer: NodeJS.Timeout | undefined;
      const finish = () => {
        clearTimeout(timer);
        timer = undefined;
        resolve();
      };
      const again = () => {
        const leftMs = Math.ceil((timeUs - this.nowUs()) / 1000);
        // A timer may fire early.
        if (leftMs > 0) timer = setTimeout(again, leftMs);
        else finish();
      };
      wake.then(finish, finish);
      again();
    });
  }

  /**
   * Looks at the time when half of what is left should be over: each look is a new number on the heap, and one per microsecond was two thirds of
   * a loop's garbage, collected where it was made, right before the deadline.
   */
  #spinUntil(timeUs: number): void {
    let leftUs = timeUs - this.nowUs();
    while (leftUs > 0) {
      const spins = Math.max(fewestSpins, (leftUs / 2) * this.#spinsPerUs);
      for (let i = 0; i < spins; i++) Atomics.load(this.#bed, 0);
      const stillLeftUs = timeUs - this.nowUs();
      // Kept from the processor meanwhile it looks slow, and then looks at the time more often.
      this.#spinsPerUs = Math.min(mostSpinsPerUs, spins / (leftUs - stillLeftUs));
      leftUs = stillLeftUs;
    }
  }

  /** Sleeps a while; whether `untilUs` is over. */
  #sleep(untilUs: number): boolean {
    const forUs = untilUs - this.nowUs();
    if (forUs > 0) Atomics.wait(this.#bed, 0, 0, Math.min(forUs, longestSleepUs) / 1000);
    return forUs <= longestSleepUs;
  }
}
