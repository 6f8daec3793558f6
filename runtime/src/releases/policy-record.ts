/** How a policy did while it drove: what it is judged by, and its successor against. Nothing in it that a policy can't help: no temperature, no voltage. */
import { z } from 'zod';

const count = z.int().min(0);

export const policyRecordSchema = z.strictObject({
  format: z.literal('sim2servo/policy-record@1'),
  ticks: count.describe('with a fresh sample'),
  missedByWork: count.describe('ticks whose own work, inference included, ran into the next control period'),
  limitedTicks: count.describe(
    'in which the shield limited velocity, acceleration or lead, other than to a share of full speed',
  ),
  boundedTicks: count.describe('in which it stopped or slowed a joint at an end of its range'),
  refusedTicks: count.describe('in which the policy gave no numbers'),
  faults: count.describe('safety stops'),
  trackingSquareSum: z
    .number()
    .min(0)
    .describe('of the joints’ mean squared distance from their targets: rad², over all ticks'),
  errorSquareSum: z.number().min(0).describe('of the task’s error: m², over all ticks'),
  stillSquareSum: z
    .number()
    .min(0)
    .describe(
      'of what that error would have been, had the arm stood still since each goal was begun: m², over all ticks',
    ),
  inferP99Us: z.number().min(0),
});
export type PolicyRecord = z.infer<typeof policyRecordSchema>;

export const emptyRecord: PolicyRecord = {
  format: 'sim2servo/policy-record@1',
  ticks: 0,
  missedByWork: 0,
  limitedTicks: 0,
  boundedTicks: 0,
  refusedTicks: 0,
  faults: 0,
  trackingSquareSum: 0,
  errorSquareSum: 0,
  stillSquareSum: 0,
  inferP99Us: 0,
};

/** Both together; of the two percentiles, which can't be added, the mean over the ticks. */
export function mergeRecords(a: PolicyRecord, b: PolicyRecord): PolicyRecord {
  const ticks = a.ticks + b.ticks;
  return {
    format: a.format,
    ticks,
    missedByWork: a.missedByWork + b.missedByWork,
    limitedTicks: a.limitedTicks + b.limitedTicks,
    boundedTicks: a.boundedTicks + b.boundedTicks,
    refusedTicks: a.refusedTicks + b.refusedTicks,
    faults: a.faults + b.faults,
    trackingSquareSum: a.trackingSquareSum + b.trackingSquareSum,
    errorSquareSum: a.errorSquareSum + b.errorSquareSum,
    stillSquareSum: a.stillSquareSum + b.stillSquareSum,
    inferP99Us: ticks === 0 ? 0 : (a.ticks * a.inferP99Us + b.ticks * b.inferP99Us) / ticks,
  };
}
