/**
 * Statistics of a dataset's columns as LeRobot keeps them, for an episode and for all: its policies are normalised by them. Quantiles of
 * an episode are exact; those of all episodes are the means of theirs, weighted by their frames, as LeRobot joins them.
 */

/** Each array has a number for each of the column's; a name as LeRobot writes it. */
export interface ColumnStatistics {
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly count: readonly [number];
  readonly q01: readonly number[];
  readonly q10: readonly number[];
  readonly q50: readonly number[];
  readonly q90: readonly number[];
  readonly q99: readonly number[];
}

const quantiles = { q01: 0.01, q10: 0.1, q50: 0.5, q90: 0.9, q99: 0.99 } as const;
const quantileNames = Object.keys(quantiles) as (keyof typeof quantiles)[];
export const statisticNames = ['min', 'max', 'mean', 'std', 'count', ...quantileNames] as const;

/** The value below which `share` of them lie, between two of them in proportion. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}

/** @param numbers for each number of the column its values, at least one, all finite */
export function columnStatistics(numbers: readonly (readonly number[])[]): ColumnStatistics {
  const sorted = numbers.map(values => Float64Array.from(values).sort());
  const mean = numbers.map(values => values.reduce((sum, value) => sum + value, 0) / values.length);
  return {
    min: sorted.map(values => values[0]!),
    max: sorted.map(values => values.at(-1)!),
    mean,
    std: numbers.map((values, i) =>
      Math.sqrt(values.reduce((sum, value) => sum + (value - mean[i]!) ** 2, 0) / values.length),
    ),
    count: [numbers[0]!.length],
    ...(Object.fromEntries(
      quantileNames.map(name => [name, sorted.map(values => quantile(values, quantiles[name]))]),
    ) as Record<keyof typeof quantiles, number[]>),
  };
}

/** Those of two sets of frames together (Chan et al. 1983 for the variance). */
export function joinedStatistics(a: ColumnStatistics, b: ColumnStatistics): ColumnStatistics {
  const count = a.count[0] + b.count[0];
  const share = b.count[0] / count;
  const each = (of: (i: number) => number) => a.mean.map((_, i) => of(i));
  const weighted = (name: 'mean' | keyof typeof quantiles) =>
    each(i => a[name][i]! + share * (b[name][i]! - a[name][i]!));
  return {
    min: each(i => Math.min(a.min[i]!, b.min[i]!)),
    max: each(i => Math.max(a.max[i]!, b.max[i]!)),
    mean: weighted('mean'),
    std: each(i =>
      Math.sqrt(
        (1 - share) * a.std[i]! ** 2 + share * b.std[i]! ** 2 + share * (1 - share) * (b.mean[i]! - a.mean[i]!) ** 2,
      ),
    ),
    count: [count],
    ...(Object.fromEntries(quantileNames.map(name => [name, weighted(name)])) as Record<
      keyof typeof quantiles,
      number[]
    >),
  };
}
