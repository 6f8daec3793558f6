/**
 * Whether a policy on trial is good enough, by what it did and what the policy before it did on this arm. Never by temperature, voltage
 * or battery: those are no policy's fault.
 *
 * What an arm does in one tick is much like what it did in the one before, so ticks are worth less than their number: one to three
 * seconds are worth one independent look (found on the policies that ship: docs/deploy.md).
 * Each bound is what the reference did, times a factor that somebody would mind, plus five standard deviations of the difference
 * of two such means. So a short trial must be much worse to be refused, and what was seen for less than five seconds is not compared at all.
 * The task's own error has another measure, which even a first policy can be held to: an arm that stands still.
 */
import type { PolicyRecord } from '../releases/policy-record.js';
import { phaseSeconds, type TriedPhase } from './trial-phases.js';

const deviations = 5;
/** Less of a motion than this says nothing. */
const leastSeconds = 5;

/** Of the control period, that inference may take at p99. A thread that nobody hurries may take all of it. */
const inferenceShare = { shadow: 1, limited: 0.25, full: 0.25 } as const;
/** Times the reference's p99: a machine that is slow to both is no policy's fault. */
const slower = 3;

/** Ticks that any loop on a busy machine may lose by its own work, and how many of them decide nothing. */
const permittedMissRate = 1 / 1000;
const permittedMisses = 2;

/** A rate, how long two looks at it lie apart that count as two, and what is permitted without a reference. */
interface Rate {
  readonly of: 'limitedTicks' | 'boundedTicks';
  readonly apartS: number;
  readonly alone: number;
  /** A target that is held back lags behind what is asked for, so the limiters act all the time: that is the phase's doing. */
  readonly phases: readonly TriedPhase[];
  readonly words: string;
}
const rates: readonly Rate[] = [
  { of: 'limitedTicks', apartS: 1, alone: 0.7, phases: ['full'], words: 'velocity, acceleration or lead was limited' },
  // Many a good policy leans on an end of a range.
  {
    of: 'boundedTicks',
    apartS: 3,
    alone: 1,
    phases: ['limited', 'full'],
    words: 'a joint was stopped at an end of its range',
  },
];
const moreOften = { factor: 1.5, share: 0.05 } as const;

const tracking = {
  apartS: 2,
  /** Of the mean square: 1.6 times the distance. */
  factor: 2.5,
  /** How much it differs from motion to motion, in units of itself. */
  spread: 1,
  /** Less than this is no error: rad². */
  least: 0.02 ** 2,
  /** A reference that stood still all the while it was seen is no promise: as if it had also been seen once at this, rad². */
  once: 0.1 ** 2,
  /** Without a reference, rad². */
  alone: 0.35 ** 2,
} as const;

/**
 * The task's error is known by goals, and a phase has seven of them: five standard deviations would permit more than doing nothing at all.
 * So it is a share, of mean squares: 1 is an arm that has stood still since each goal was begun, and about 1 one that runs away; one that
 * goes straight there and needs all of its time has a third.
 * Goals near and far, at rest and moving, so compare, and so do the records of one goal and of many.
 */
const error = {
  share: 0.7,
  /** Times the reference's, where that is more: an arm, or goals, on which nobody does well. */
  factor: 2,
  /** Closer than this, m (rms), it has nothing against it: where an arm stands at its goal, standing still is no measure. */
  closeM: 0.02,
} as const;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/**
 * @param record    of the policy on trial, in this phase so far
 * @param reference of the policy that drove before; undefined where there was none
 * @returns reasons against it, in words; none: good so far
 */
export function judge(
  record: PolicyRecord,
  reference: PolicyRecord | undefined,
  phase: TriedPhase,
  controlRateHz: number,
): string[] {
  const { ticks } = record;
  const reasons: string[] = [];
  if (record.refusedTicks > 0) reasons.push(`it gave no numbers in ${record.refusedTicks} of ${ticks} ticks`);
  if (record.faults > 0) reasons.push(`${record.faults} safety stops`);
  if (ticks === 0) return reasons;
  const before = reference !== undefined && reference.ticks > 0 ? reference : undefined;
  const seconds = ticks / controlRateHz;

  const budgetUs = Math.max((inferenceShare[phase] * 1e6) / controlRateHz, slower * (before?.inferP99Us ?? 0));
  if (seconds >= phaseSeconds[phase] && record.inferP99Us > budgetUs)
    reasons.push(`one inference takes ${Math.round(record.inferP99Us)} µs (p99), and may take ${Math.round(budgetUs)}`);
  if (phase === 'shadow') return reasons;

  const missRate = Math.max(permittedMissRate, before === undefined ? 0 : before.missedByWork / before.ticks);
  const misses = ticks * missRate;
  if (record.missedByWork > misses + deviations * Math.sqrt(misses) + permittedMisses)
    reasons.push(
      `${record.missedByWork} of ${ticks} ticks ran into the next, ${misses.toFixed(1)} were to be expected`,
    );
  if (seconds < leastSeconds) return reasons;

  const secondsBefore = before === undefined ? 0 : before.ticks / controlRateHz;
  for (const { of, apartS, alone, phases, words } of rates) {
    if (!phases.includes(phase)) continue;
    const share = record[of] / ticks;
    const bound =
      before === undefined ? alone : rateBound(before[of] / before.ticks, seconds / apartS, secondsBefore / apartS);
    if (share > bound) reasons.push(`${words} in ${percent(share)} of the ticks, which may be in ${percent(bound)}`);
  }
  const square = record.trackingSquareSum / ticks;
  const { apartS, alone } = tracking;
  const bound =
    before === undefined
      ? alone
      : squareBound(before.trackingSquareSum / before.ticks, seconds / apartS, secondsBefore / apartS);
  if (square > bound)
    reasons.push(
      `the joints were ${Math.sqrt(square).toFixed(3)} rad from their targets (rms), and may be ${Math.sqrt(bound).toFixed(3)}`,
    );
  // At a share of the speed everybody arrives later.
  if (phase === 'full' && seconds >= phaseSeconds.full)
    reasons.push(...missedGoals(record, secondsBefore >= phaseSeconds.full ? before : undefined));
  return reasons;
}

function missedGoals(
  { ticks, errorSquareSum, stillSquareSum }: PolicyRecord,
  before: PolicyRecord | undefined,
): string[] {
  const shareBefore = before && before.stillSquareSum > 0 ? before.errorSquareSum / before.stillSquareSum : 0;
  const permitted = Math.max(
    stillSquareSum * Math.max(error.share, error.factor * shareBefore),
    ticks * error.closeM ** 2,
  );
  if (errorSquareSum <= permitted) return [];
  const rmsMm = (squareSum: number) => Math.round(1000 * Math.sqrt(squareSum / ticks));
  return [
    `it was ${rmsMm(errorSquareSum)} mm from its goals (rms), and may be ${rmsMm(permitted)}; an arm that stands still would be ${rmsMm(stillSquareSum)}`,
  ];
}

/** Standard deviations of one look to that of the difference of two means, of so many looks each. */
const differenceOf = (looks: number, looksBefore: number) => deviations * Math.sqrt(1 / looks + 1 / looksBefore);

/** A share has its spread from itself; one of none, or of all, was seen too few times to be just that. */
function rateBound(share: number, looks: number, looksBefore: number): number {
  const likely = (share * looksBefore + 0.5) / (looksBefore + 1);
  const spread = Math.sqrt(likely * (1 - likely));
  return moreOften.factor * share + moreOften.share + differenceOf(looks, looksBefore) * spread;
}

function squareBound(square: number, looks: number, looksBefore: number): number {
  const likely = (square * looksBefore + tracking.once) / (looksBefore + 1);
  return Math.max(tracking.least, likely * (tracking.factor + tracking.spread * differenceOf(looks, looksBefore)));
}
