/** A table that is redrawn in place on a terminal; elsewhere each one would be a page, so there whoever shows it prints it itself. */
import type { Io } from './io.js';

/** Rows of cells as lines, each column as wide as its widest cell; all but the first to the right, unless they are words. */
export function tableLines(rows: readonly (readonly string[])[], cells: 'figures' | 'words' = 'figures'): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  return rows.map(row =>
    row
      .map((cell, column) =>
        column === 0 || cells === 'words' ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}

export class LiveTable {
  readonly #io: Io;
  #drawn = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Draws over what was drawn before. Nothing where `io` is no terminal. */
  show(lines: readonly string[]): void {
    if (!this.#io.live) return;
    const up = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A`;
    const width = process.stderr.columns ?? Number.POSITIVE_INFINITY;
    // A line that wraps would be two, and the next drawing would begin too low.
    process.stderr.write(`${up}${lines.map(line => `\x1b[2K${line.slice(0, width - 1)}\n`).join('')}\x1b[J`);
    this.#drawn = lines.length;
  }
}
