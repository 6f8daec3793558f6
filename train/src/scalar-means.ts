/** Means of the metrics of many updates, for one line of the log: a single update's loss is mostly noise. */
export class ScalarMeans {
  readonly #sums = new Map<string, { sum: number; count: number }>();

  /** The record may be reused by the caller; its values are taken at once. */
  add(scalars: Readonly<Record<string, number>>): void {
    for (const name in scalars) {
      const entry = this.#sums.get(name);
      if (entry === undefined) this.#sums.set(name, { sum: scalars[name]!, count: 1 });
      else {
        entry.sum += scalars[name]!;
        entry.count++;
      }
    }
  }

  /** The means since the last call. */
  take(): Readonly<Record<string, number>> {
    const means = Object.fromEntries([...this.#sums].map(([name, { sum, count }]) => [name, sum / count]));
    this.#sums.clear();
    return means;
  }
}
