/**
 * Feeds systemd's watchdog only while a tick counter advances. It is called by who ticks, never by a timer: a loop that hangs, or one that
 * goes round without ticking, is starved, and systemd ends the process.
 */
import type { Notify } from './notify.js';

/** Of the interval after which systemd loses patience. */
const share = 1 / 4;

export class Watchdog {
  readonly #notify: Pick<Notify, 'alive' | 'watchdogUs'>;
  readonly #nowUs: () => number;
  #ticks = -1;
  #fedUs = Number.NEGATIVE_INFINITY;

  constructor(notify: Pick<Notify, 'alive' | 'watchdogUs'>, nowUs: () => number) {
    this.#notify = notify;
    this.#nowUs = nowUs;
  }

  /** @param ticks so far; only a higher number than ever before counts */
  ticked(ticks: number): void {
    const { watchdogUs } = this.#notify;
    if (ticks <= this.#ticks) return;
    this.#ticks = ticks;
    if (watchdogUs === undefined) return;
    const now = this.#nowUs();
    if (now - this.#fedUs < watchdogUs * share) return;
    this.#fedUs = now;
    this.#notify.alive();
  }
}
