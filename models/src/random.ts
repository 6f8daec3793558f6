/**
 * The one random generator: xoshiro128** (Blackman and Vigna 2018), seeded through SplitMix32.
 *
 * `Math.random` can neither be seeded nor saved; a run that resumes bit for bit needs both. The state is four words in a plain
 * array, so a checkpoint holds it as JSON.
 */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = new Uint32Array(4);
    let z = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      z = (z + 0x9e3779b9) >>> 0;
      let x = z;
      x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
      x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
      this.#state[i] = x ^ (x >>> 16);
    }
  }

  /** A generator that continues where {@link save} was called. */
  static restore(state: readonly number[]): Random {
    const random = new Random(0);
    random.#state.set(state);
    return random;
  }

  save(): number[] {
    return [...this.#state];
  }

  /** A generator of its own for a part, so that adding a draw in one part leaves the others as they were. */
  fork(label: string): Random {
    let hash = 0x811c9dc5;
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
    return new Random(hash ^ this.word());
  }

  /** 32 random bits. */
  word(): number {
    const s = this.#state;
    const s1 = s[1]!;
    const x = Math.imul(s1, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s1 << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s1;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    const unit = (this.word() * 2 ** 21 + (this.word() >>> 11)) / 2 ** 53;
    return low + (high - low) * unit;
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** A standard normal draw (Box and Muller; one of the pair, so that the state alone says what comes next). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Fills with standard normal draws. */
  fillNormal(out: Float32Array): void {
    for (let i = 0; i + 1 < out.length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
      const angle = 2 * Math.PI * this.uniform();
      out[i] = radius * Math.cos(angle);
      out[i + 1] = radius * Math.sin(angle);
    }
    if (out.length % 2 === 1) out[out.length - 1] = this.normal();
  }
}
