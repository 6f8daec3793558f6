/**
 * Whether a policy on trial is good enough, by what it did and what the policy before it did on this arm. Never by temperature, voltage
 * or battery: those are no policy's fault.
 *
 * A trial is short, and what an arm does in one second is much like what it did in the one before: of n seconds only n / 2 count as seen
 * independently. Each bound is what the reference did, times a factor that somebody would mind, plus four standard deviations of
 * the difference of two such means; so a short trial must be much worse to be refused, and a long one only worse.
 */
import type { PolicyRecord } from '../releases/policy-record.js';
import { phaseSeconds, type TriedPhase } from './trial-phases.js';

/** Two samples of one motion tell as much as one, if they lie closer together. */
const correlationS = 2;
const deviations = 4;

/** Of the control period, that inference may take at p99. A thread that nobody hurries may take all of it. */
const inferenceShare = { shadow: 1, limited: 0.25, full: 0.25 } as const;
/** Times the reference's p99: a machine that is slow to both is no policy's fault. */
const slower = 3;

/** Ticks that any loop on a busy machine may lose by its own work. */
const permittedMissRate = 1 / 1000;
/** Misses that decide nothing. */
const permittedMisses = 2;

const moreLimited = { factor: 1.5, share: 0.05 } as const;

/** Of the mean square: 1.4 times the distance. */
const worseTracking = 2;
/** How much the mean square differs from motion to motion, in units of itself. */
const trackingSpread = 1;
/** Less than this is no error: rad². */
const permittedSquare = 0.02 ** 2;

/** What no policy may do where there is none to compare it with. */
const withoutReference = { limitedShare: 0.8, trackingSquare: 0.35 ** 2 } as const;

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

  const budgetUs = Math.max((inferenceShare[phase] * 1e6) / controlRateHz, slower * (before?.inferP99Us ?? 0));
  if (ticks >= phaseSeconds[phase] * controlRateHz && record.inferP99Us > budgetUs)
    reasons.push(`one inference takes ${Math.round(record.inferP99Us)} µs (p99), and may take ${Math.round(budgetUs)}`);
  if (phase === 'shadow') return reasons;

  const expected = ticks * Math.max(permittedMissRate, before === undefined ? 0 : before.missedByWork / before.ticks);
  if (record.missedByWork > expected + deviations * Math.sqrt(expected) + permittedMisses)
    reasons.push(
      `${record.missedByWork} of ${ticks} ticks ran into the next, where ${expected.toFixed(1)} were to be expected`,
    );

  /** Of the difference to the reference, in standard deviations of one independent sample. */
  const seen = (of: PolicyRecord) => Math.max(1e-9, of.ticks / controlRateHz / correlationS);
  const spread = deviations * Math.sqrt(1 / seen(record) + (before === undefined ? 0 : 1 / seen(before)));

  const limited = record.limitedTicks / ticks;
  const limitedBound =
    before === undefined ? withoutReference.limitedShare : limitedAtMost(before, seen(before), spread);
  if (limited > limitedBound)
    reasons.push(`the limiters acted in ${percent(limited)} of the ticks, and may in ${percent(limitedBound)}`);

  const square = record.trackingSquareSum / ticks;
  const squareBound =
    before === undefined
      ? withoutReference.trackingSquare
      : Math.max(
          permittedSquare,
          (before.trackingSquareSum / before.ticks) * (worseTracking + trackingSpread * spread),
        );
  if (square > squareBound)
    reasons.push(
      `the joints were ${Math.sqrt(square).toFixed(3)} rad from their targets (rms), and may be ${Math.sqrt(squareBound).toFixed(3)}`,
    );
  return reasons;
}

/** A share has its spread from itself; one of none, or of all, was seen too few times to be just that. */
function limitedAtMost({ limitedTicks, ticks }: PolicyRecord, seen: number, spread: number): number {
  const share = limitedTicks / ticks;
  const likely = (share * seen + 0.5) / (seen + 1);
  return moreLimited.factor * share + moreLimited.share + spread * Math.sqrt(likely * (1 - likely));
}
