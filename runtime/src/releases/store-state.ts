/** `state.json` of a release store: what must survive the process that wrote it. Replaced whole, before the link that it speaks of is switched. */
import { z } from 'zod';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const words = z.string().min(1).max(2000);

/** In this order; `rollback` from any of them. */
export const trialPhases = ['shadow', 'limited', 'full', 'rollback'] as const;
export type TrialPhase = (typeof trialPhases)[number];

export const trialSchema = z.strictObject({
  id: z.string().min(1).describe('of the deployment, in the history'),
  digest: digest.describe('of the policy on trial'),
  replaces: digest.optional().describe('what drives until then, and again where it fails; absent for the first policy'),
  phase: z.enum(trialPhases),
  running: z.boolean().describe('a loop has begun to drive with it'),
  skip: z
    .strictObject({ shadow: words.optional(), limited: words.optional() })
    .describe('phases that are left out, and why somebody wanted that'),
  reason: words.optional().describe('why it is rolled back'),
});
export type Trial = z.infer<typeof trialSchema>;

export const storeStateSchema = z.strictObject({
  format: z.literal('sim2servo/store@1'),
  sequence: z.int().min(0).describe('highest of all signed policies that were let in; 0 where none was signed'),
  bad: z.record(digest, words).describe('policies that failed here, and why: never let in again'),
  trial: trialSchema.optional(),
});
export type StoreState = z.infer<typeof storeStateSchema>;

export const emptyState: StoreState = { format: 'sim2servo/store@1', sequence: 0, bad: {} };
