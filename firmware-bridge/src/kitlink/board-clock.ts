/**
 * The board's 32-bit microseconds on the host's clock. A frame's flight is never shorter than its bytes take, so of the last frames the
 * one that seemed fastest says best how far the clocks are apart. The window is short: a board's resonator may be 0.5 % off, and a host
 * that was away must not believe for long that the samples are old.
 */
const defaultWindow = 4;

export class BoardClock {
  readonly #offsets: Float64Array;
  #frames = 0;
  #boardUs = 0;

  /** @param window how many of the last frames are looked at */
  constructor(window = defaultWindow) {
    this.#offsets = new Float64Array(window).fill(Number.POSITIVE_INFINITY);
  }

  /** The board's time, counted on beyond 32 bits. */
  #unwrap(timeUs: number): number {
    return this.#boardUs + ((timeUs - this.#boardUs) | 0);
  }

  /**
   * A frame has come.
   *
   * @param sentUs   the board's time in its header, 32 bits
   * @param flightUs what its bytes take on the wire
   */
  observe(sentUs: number, arrivedUs: number, flightUs: number): void {
    this.#boardUs = this.#frames === 0 ? sentUs : this.#unwrap(sentUs);
    this.#offsets[this.#frames++ % this.#offsets.length] = arrivedUs - flightUs - this.#boardUs;
  }

  /** The host's time of an instant of the board's; good for half an hour around the last frame. */
  toHost(boardUs: number): number {
    let offset = Number.POSITIVE_INFINITY;
    for (const seen of this.#offsets) if (seen < offset) offset = seen;
    return this.#unwrap(boardUs) + offset;
  }
}
