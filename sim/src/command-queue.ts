/**
 * Commands on their way: each is acted on a fixed number of physics steps after it was sent. The last one for a step wins, so a queue
 * of as many places as the delay has steps never overflows, however often a rig sends.
 */
export class CommandQueue {
  readonly #joints: number;
  /** Ring of places: the step that a command is due in, then its angles. */
  readonly #ring: Float64Array;
  readonly #places: number;
  #first = 0;
  #count = 0;

  /** @param maxDelaySteps the longest delay that {@link push} will be called with */
  constructor(joints: number, maxDelaySteps: number) {
    this.#joints = joints;
    this.#places = maxDelaySteps + 2;
    this.#ring = new Float64Array(this.#places * (joints + 1));
  }

  #at(nth: number): number {
    return ((this.#first + nth) % this.#places) * (this.#joints + 1);
  }

  /** @param dueStep not before that of the command pushed last */
  push(anglesRad: ArrayLike<number>, dueStep: number): void {
    if (this.#count === 0 || this.#ring[this.#at(this.#count - 1)] !== dueStep) this.#count++;
    const at = this.#at(this.#count - 1);
    this.#ring[at] = dueStep;
    for (let j = 0; j < this.#joints; j++) this.#ring[at + 1 + j] = anglesRad[j]!;
  }

  /** Takes out what is due: `out` is left alone where nothing is, and holds the newest where several are. True where something was. */
  take(step: number, out: Float64Array): boolean {
    let taken = false;
    while (this.#count > 0 && this.#ring[this.#at(0)]! <= step) {
      const at = this.#at(0);
      for (let j = 0; j < this.#joints; j++) out[j] = this.#ring[at + 1 + j]!;
      this.#first = (this.#first + 1) % this.#places;
      this.#count--;
      taken = true;
    }
    return taken;
  }

  clear(): void {
    this.#count = 0;
  }

  /** [waiting × (1 + joints)] */
  save(): Float64Array {
    const width = this.#joints + 1;
    const saved = new Float64Array(this.#count * width);
    for (let i = 0; i < this.#count; i++) saved.set(this.#ring.subarray(this.#at(i), this.#at(i) + width), i * width);
    return saved;
  }

  load(saved: Float64Array): void {
    const width = this.#joints + 1;
    this.#first = 0;
    this.#count = saved.length / width;
    this.#ring.set(saved);
  }
}
