/**
 * A histogram of durations that costs no allocation to record into: log-linear buckets, as HdrHistogram has them (G. Tene).
 *
 * Own code because `perf_hooks.createHistogram` takes whole numbers from 1 up only, and a phase of a tick may well take 0 µs on a
 * virtual clock. Resolution 0.1 µs, then 128 buckets an octave: a percentile is off by less than 0.8 %.
 */

const perUs = 10;
const subBits = 7;
const sub = 2 ** subBits;
/** Values from 2^31 tenths of a µs (3.6 minutes) on share the last bucket; the maximum is kept exactly. */
const octaves = 31 - subBits;
const largest = 2 ** 31 - 1;

export interface HistogramSummary {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** A summary with the filled buckets: [lower end in µs, count]. */
export interface HistogramJson extends HistogramSummary {
  readonly buckets: readonly (readonly [number, number])[];
}

function bucketOf(ticks: number): number {
  if (ticks < sub) return ticks;
  const octave = 31 - Math.clz32(ticks) - subBits;
  return (octave + 1) * sub + ((ticks >>> octave) - sub);
}

function lowerEnd(bucket: number): number {
  if (bucket < sub) return bucket;
  const octave = Math.floor(bucket / sub) - 1;
  return (sub + (bucket % sub)) * 2 ** octave;
}

export class Histogram {
  readonly #counts = new Uint32Array((octaves + 1) * sub);
  /** count, sum, min, max: in an array, so that recording writes no fresh number objects. */
  readonly #totals = Float64Array.of(0, 0, Number.POSITIVE_INFINITY, 0);

  /** Negative durations (a clock that was set) count as 0; what is not a number is left out. */
  record(us: number): void {
    if (Number.isNaN(us)) return;
    const value = Math.max(0, us);
    this.#counts[bucketOf(Math.min(largest, Math.round(value * perUs)))]! += 1;
    const totals = this.#totals;
    totals[0]! += 1;
    totals[1]! += value;
    if (value < totals[2]!) totals[2] = value;
    if (value > totals[3]!) totals[3] = value;
  }

  /** Adds what another one held; its values as their buckets have them. */
  add({ count, min, mean, max, buckets }: HistogramJson): void {
    if (count === 0) return;
    for (const [lowUs, records] of buckets) this.#counts[bucketOf(Math.round(lowUs * perUs))]! += records;
    const totals = this.#totals;
    totals[0]! += count;
    totals[1]! += count * mean;
    totals[2] = Math.min(totals[2]!, min);
    totals[3] = Math.max(totals[3]!, max);
  }

  get count(): number {
    return this.#totals[0]!;
  }

  /** The value in µs below or at which `share` (0 … 1) of all records lie; NaN where there are none. */
  percentile(share: number): number {
    const count = this.count;
    if (count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) {
        const middle = (lowerEnd(bucket) + lowerEnd(bucket + 1) - 1) / 2 / perUs;
        return Math.max(this.#totals[2]!, Math.min(this.#totals[3]!, middle));
      }
    }
    return this.#totals[3]!;
  }

  summary(): HistogramSummary {
    const [count, sum, min, max] = this.#totals as unknown as [number, number, number, number];
    const none = count === 0;
    return {
      count,
      min: none ? Number.NaN : min,
      mean: none ? Number.NaN : sum / count,
      p50: this.percentile(0.5),
      p99: this.percentile(0.99),
      p999: this.percentile(0.999),
      max: none ? Number.NaN : max,
    };
  }

  toJSON(): HistogramJson {
    const buckets: [number, number][] = [];
    for (const [bucket, count] of this.#counts.entries())
      if (count > 0) buckets.push([lowerEnd(bucket) / perUs, count]);
    return { ...this.summary(), buckets };
  }

  reset(): void {
    this.#counts.fill(0);
    this.#totals.set([0, 0, Number.POSITIVE_INFINITY, 0]);
  }
}
