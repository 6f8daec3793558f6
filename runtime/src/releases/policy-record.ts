/** How a policy did while it drove: what it is judged by, and its successor against. Nothing in it that a policy can't help: no temperature, no voltage. */
import { z } from 'zod';

const count = z.int().min(0);

export const policyRecordSchema = z.strictObject({
  format: z.literal('sim2servo/policy-record@1'),
  ticks: count.describe('with a fresh sample'),
  missedByWork: count.describe('control periods lost because the loop’s own work took too long, inference included'),
  limitedTicks: count.describe('in which the shield changed something, other than to a share of the full speed'),
  refusedTicks: count.describe('in which the policy gave no numbers'),
  faults: count.describe('safety stops'),
  trackingSquareSum: z
    .number()
    .min(0)
    .describe('of the joints’ mean squared distance from their targets: rad², over all ticks'),
  inferP99Us: z.number().min(0),
});
export type PolicyRecord = z.infer<typeof policyRecordSchema>;
