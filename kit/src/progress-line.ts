/** One line of progress: redrawn on a terminal, now and then a new line elsewhere. */
import type { Io } from './io.js';

const terminalMs = 200;
const logMs = 10_000;

export class ProgressLine {
  readonly #io: Io;
  #last = Number.NEGATIVE_INFINITY;
  #open = false;

  constructor(io: Io) {
    this.#io = io;
  }

  show(text: () => string): void {
    const now = performance.now();
    if (now - this.#last < (this.#io.live ? terminalMs : logMs)) return;
    this.#last = now;
    if (this.#io.live) {
      process.stderr.write(`\r\x1b[2K${text()}`);
      this.#open = true;
    } else this.#io.err(text());
  }

  /** Says at once that Ctrl-C was heard, where what is under way takes a while to end. */
  answer(signal: AbortSignal, words: string): void {
    const say = () => {
      this.done();
      this.#io.err(words);
    };
    signal.addEventListener('abort', say, { once: true });
  }

  /** Ends a redrawn line, so that what follows stands below it. */
  done(): void {
    if (this.#open) process.stderr.write('\n');
    this.#open = false;
  }
}

/** 83 → '1 min 23 s' */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
