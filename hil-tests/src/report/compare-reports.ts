/**
 * What got worse from one report to the next, beyond the noise.
 *
 * - A check, a fault or a scenario that held and no longer does, or that is no longer there.
 * - An arm that stands later after a fault: virtual time is the same every time, but a fault falls at another instant of a tick as soon as
 *   anything before it changes, so a control period more is nothing.
 * - A quantile of a latency, where the intervals of the two do not overlap. Each reaches over what chance would give (the order statistics
 *   between which the quantile lies in 99 of 100 samples of that size) and over what the machine gave (the quantile of each run of the
 *   report). A quantile that has too few records above it to have such an interval is not compared.
 * - The share of control periods that were missed, or of ticks without a fresh sample, in the same way.
 * - What was measured in real time and no longer is.
 */
import { KitError } from '@sim2servo/models/error';
import { Histogram, type HistogramJson } from '@sim2servo/runtime/histogram';
import { type HilReport, type Latency, latenciesOf, type RealTimeReport, type TickCounts } from './report.js';

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

/** @throws KitError E_REPORT_PAIR where the two are not of the same robot, rig and rate */
export function compareReports(before: HilReport, after: HilReport): Worse[] {
  checkPair(before, after);
  return [...verdicts(before, after), ...stops(before, after), ...realTime(before, after)];
}

function checkPair(before: HilReport, after: HilReport): void {
  const was = subjectOf(before);
  const is = subjectOf(after);
  for (const what of ['robot', 'rig', 'rate'] as const) {
    if (was[what] === undefined || is[what] === undefined || was[what] === is[what]) continue;
    throw new KitError(
      'E_REPORT_PAIR',
      `the reports are not of the same ${what}: ${was[what]}, and then ${is[what]}`,
      'compare two reports of one robot on one rig at one rate',
      'usage',
    );
  }
}

const subjectOf = ({ arms, rig, realTime }: HilReport) => ({
  robot: arms.map(({ robot }) => robot).join(', '),
  rig,
  rate: realTime && `${realTime.rateHz} Hz`,
});

/** Everything that can pass or fail, under a name. */
function resultsOf({ arms, faults, safety, swaps, realTime }: HilReport): Map<string, boolean> {
  return new Map([
    ...arms.flatMap(({ robot, rig, checks }) =>
      checks.map(({ name, passed }) => [`${name} (${robot} on ${rig})`, passed] as const),
    ),
    ...faults.map(({ bus, name, passed }) => [`${name} (${bus})`, passed] as const),
    ...safety.map(({ name, passed }) => [`${name} (the board)`, passed] as const),
    ...swaps.map(({ robot, rig, passed }) => [`policies take over (${robot} on ${rig})`, passed] as const),
    ...(realTime?.punctual === undefined ? [] : [[realTime.punctual.name, realTime.punctual.passed] as const]),
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

function realTime({ realTime: was }: HilReport, { realTime: is, unmeasured }: HilReport): Worse[] {
  if (was === undefined) return [];
  if (is === undefined)
    return [gone('a host program in real time', `was not measured${unmeasured === '' ? '' : `: ${unmeasured}`}`)];
  return [
    ...shareWorse('control periods missed', was, is, ({ ticks, missed }) => [missed, ticks + missed]),
    ...shareWorse('ticks without a fresh sample', was, is, ({ ticks, stale }) => [stale, ticks]),
    ...latencies(was, is),
  ];
}

const gone = (what: string, after = 'was not measured'): Worse => ({ what, before: 'measured', after });

/** What is counted, of how many. */
type ShareOf = (counts: TickCounts) => readonly [count: number, all: number];

function shareWorse(what: string, before: RealTimeReport, after: RealTimeReport, of: ShareOf): Worse[] {
  const was = shareInterval(before, of);
  const is = shareInterval(after, of);
  if (!(is[0] > was[1])) return [];
  const words = (report: RealTimeReport, interval: readonly number[]) =>
    `${of(report).join(' of ')} (${interval.map(share => `${(100 * share).toFixed(1)} %`).join(' to ')})`;
  return [{ what, before: words(before, was), after: words(after, is) }];
}

/** Where a share may lie: by chance, and by what the runs had. */
function shareInterval(report: RealTimeReport, of: ShareOf): readonly [number, number] {
  const [low, high] = wilson(...of(report));
  const seen = (report.runs ?? []).map(run => of(run)).map(([count, all]) => count / all);
  return [Math.min(low, ...seen), Math.max(high, ...seen)];
}

/** The interval of a share in 99 of 100 samples (Wilson 1927), which is one where none or all were counted, too. */
function wilson(count: number, all: number): readonly [number, number] {
  const share = count / all;
  const middle = share + z ** 2 / (2 * all);
  const half = z * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2));
  const scale = 1 + z ** 2 / all;
  return [(middle - half) / scale, (middle + half) / scale];
}

function latencies(before: RealTimeReport, after: RealTimeReport): Worse[] {
  const now = new Map(latenciesOf(after));
  return latenciesOf(before).flatMap(([name, was]) => {
    if (was.whole.count === 0) return [];
    const is = now.get(name);
    if (is === undefined || is.whole.count === 0) return [gone(name)];
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
