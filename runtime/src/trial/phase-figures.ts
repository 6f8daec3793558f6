/** The figures of a phase, for the history and for the line that a person reads. */
import type { PolicyRecord } from '../releases/policy-record.js';
import { differingBy, type Shadow } from './shadow.js';

export interface PhaseFigures {
  readonly figures: Readonly<Record<string, number>>;
  readonly words: string;
}

const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const millimetres = (metres: number) => `${(1000 * metres).toFixed(0)} mm`;
const rounded = (value: number) => Number(value.toPrecision(4));

/** @param joints names, in the order of the actions */
export function shadowFigures(
  { ticks, refusedTicks, inferP99Us }: PolicyRecord,
  { mean, largest, differingShare }: ReturnType<Shadow['disagreement']>,
  joints: readonly string[],
): PhaseFigures {
  const figures: Record<string, number> = { ticks, nonFinite: refusedTicks, inferP99Us: rounded(inferP99Us) };
  for (const [j, joint] of joints.entries()) {
    figures[`differenceMean.${joint}`] = rounded(mean[j]!);
    figures[`differenceMax.${joint}`] = rounded(largest[j]!);
  }
  figures.differingShare = rounded(differingShare);
  const each = joints.map((joint, j) => `${joint} ${mean[j]!.toFixed(2)}/${largest[j]!.toFixed(2)}`).join(', ');
  return {
    figures,
    words:
      `${ticks} ticks; its actions differ by (mean/max) ${each}, by more than ${differingBy} in ${percent(differingShare)} of the ticks; ` +
      `${refusedTicks} were no numbers; inference p99 ${Math.round(inferP99Us)} µs`,
  };
}

export function driveFigures(record: PolicyRecord): PhaseFigures {
  const { ticks, missedByWork, refusedTicks, faults } = record;
  const limitedShare = ticks === 0 ? 0 : record.limitedTicks / ticks;
  const boundedShare = ticks === 0 ? 0 : record.boundedTicks / ticks;
  const rms = (squareSum: number) => (ticks === 0 ? 0 : Math.sqrt(squareSum / ticks));
  const trackingRms = rms(record.trackingSquareSum);
  const errorRmsM = rms(record.errorSquareSum);
  const stillRmsM = rms(record.stillSquareSum);
  return {
    figures: {
      ticks,
      missedByWork,
      refusedTicks,
      faults,
      limitedShare: rounded(limitedShare),
      boundedShare: rounded(boundedShare),
      trackingRms: rounded(trackingRms),
      errorRmsM: rounded(errorRmsM),
      stillRmsM: rounded(stillRmsM),
      inferP99Us: rounded(record.inferP99Us),
    },
    words:
      `${ticks} ticks, ${missedByWork} ran into the next; limited in ${percent(limitedShare)}, at an end of a range in ` +
      `${percent(boundedShare)}; ` +
      `${trackingRms.toFixed(3)} rad from its targets, ${millimetres(errorRmsM)} from its goals (rms; standing still: ` +
      `${millimetres(stillRmsM)}); inference p99 ${Math.round(record.inferP99Us)} µs`,
  };
}
