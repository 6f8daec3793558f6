/**
 * What got worse from one report to the next, beyond the noise.
 *
 * - A check, a fault or a scenario that held and no longer does, or that is no longer there.
 * - An arm that stands later after a fault: virtual time is the same every time, but a fault falls at another instant of a tick as soon as
 *   anything before it changes, so a control period more is nothing.
 * - A quantile of a latency, where the intervals of the two do not overlap. Each reaches over what chance would give (the order statistics
 *   between which the quantile lies in 99 of 100 samples of that size) and over what the machine gave (the quantile of each run of the
 *   report). A quantile that has too few records above it to have such an interval is not compared.
 */
import { Histogram, type HistogramJson } from '@sim2servo/runtime/histogram';
import { type HilReport, type Latency, latenciesOf } from './report.js';

export interface Worse {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** Normal quantile for 99 %, both sides. */
const z = 2.576;
/** The slowest control period of the matrix. */
const periodMs = 20;
const quantiles = { p50: 0.5, p99: 0.99, p999: 0.999 } as const;
type QuantileName = keyof typeof quantiles;

export function compareReports(before: HilReport, after: HilReport): Worse[] {
  return [...verdicts(before, after), ...stops(before, after), ...latencies(before, after)];
}

/** Everything that can pass or fail, under a name. */
function resultsOf({ arms, faults, safety, swaps, realTime }: HilReport): Map<string, boolean> {
  return new Map([
    ...arms.flatMap(({ robot, rig, checks }) =>
      checks.map(({ name, passed }) => [`${name} (${robot} on ${rig})`, passed] as const),
    ),
    ...faults.map(({ bus, name, passed }) => [`${name} (${bus})`, passed] as const),
    ...safety.map(({ name, passed }) => [`${name} (the board)`, passed] as const),
    ...swaps.map(({ robot, rig, passed }) => [`policies take over (${robot} on ${rig})`, passed] as const),
    ...(realTime?.killed === undefined ? [] : [['kill -9 of a real host', realTime.killed.passed] as const]),
  ]);
}

function verdicts(before: HilReport, after: HilReport): Worse[] {
  const now = resultsOf(after);
  return [...resultsOf(before)].flatMap(([what, held]) => {
    if (!held || now.get(what) === true) return [];
    return [{ what, before: 'held', after: now.has(what) ? 'failed' : 'was not tested' }];
  });
}

function stops(before: HilReport, after: HilReport): Worse[] {
  const later = (what: string, was: number | undefined, is: number | undefined): Worse[] =>
    was === undefined || is === undefined || is <= was + periodMs
      ? []
      : [{ what, before: `stood after ${was.toFixed(0)} ms`, after: `stood after ${is.toFixed(0)} ms` }];
  return [
    ...before.faults.flatMap(({ name, bus, stoppedMs }) => {
      const now = after.faults.find(fault => fault.name === name && fault.bus === bus);
      return later(`${name} (${bus})`, stoppedMs, now?.stoppedMs);
    }),
    ...later('kill -9 of a real host', before.realTime?.killed?.stoppedMs, after.realTime?.killed?.stoppedMs),
  ];
}

function latencies(before: HilReport, after: HilReport): Worse[] {
  if (before.realTime === undefined || after.realTime === undefined) return [];
  const now = new Map(latenciesOf(after.realTime));
  return latenciesOf(before.realTime).flatMap(([name, was]) => {
    const is = now.get(name);
    if (is === undefined) return [];
    return (Object.keys(quantiles) as QuantileName[]).flatMap(quantile => {
      const [low, high] = intervalOf(was, quantile);
      const [lowNow, highNow] = intervalOf(is, quantile);
      if (!(lowNow > high)) return [];
      const words = (us: number, from: number, to: number) =>
        `${us.toFixed(1)} µs (${from.toFixed(1)} to ${to.toFixed(1)})`;
      return [
        {
          what: `${name}, ${quantile}`,
          before: words(was.whole[quantile], low, high),
          after: words(is.whole[quantile], lowNow, highNow),
        },
      ];
    });
  });
}

/** Where a quantile may lie, µs: by chance, and by what the runs had. NaN where there are too few records. */
export function intervalOf({ whole, runs }: Latency, name: QuantileName): readonly [number, number] {
  const [low, high] = orderStatistics(whole, quantiles[name]);
  if (Number.isNaN(low)) return [low, high];
  const seen = runs.map(run => run[name]).filter(Number.isFinite);
  return [Math.min(low, ...seen), Math.max(high, ...seen)];
}

/** The records between which a quantile lies in 99 of 100 samples: ranks n·q ± z·√(n·q·(1−q)), by the normal approximation. */
function orderStatistics(histogram: HistogramJson, share: number): readonly [number, number] {
  const { count } = histogram;
  const half = z * Math.sqrt(count * share * (1 - share));
  const from = count * share - half;
  const to = count * share + half;
  if (!(from >= 1 && to <= count)) return [Number.NaN, Number.NaN];
  const filled = new Histogram();
  filled.add(histogram);
  return [filled.percentile(from / count), filled.percentile(to / count)];
}
