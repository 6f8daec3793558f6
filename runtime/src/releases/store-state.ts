/** `state.json` of a release store: what must survive the process that wrote it. Replaced whole, before the link that it speaks of is switched. */
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
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
  waits: words.optional().describe('why the loop that drives just now can’t try it'),
  reason: words.optional().describe('why it is rolled back'),
});
export type Trial = z.infer<typeof trialSchema>;

/** What a store says about its policies. */
export interface Named {
  readonly current: string | undefined;
  readonly trial?: Trial | undefined;
}

export const storeStateSchema = z.strictObject({
  format: z.literal('sim2servo/store@1'),
  sequence: z.int().min(0).describe('highest of all signed policies that were let in; 0 where none was signed'),
  bad: z
    .record(digest, words)
    .describe('policies that failed here, and why: not let in again unless somebody wants them retried'),
  trial: trialSchema.optional(),
});
export type StoreState = z.infer<typeof storeStateSchema>;

export const emptyState: StoreState = { format: 'sim2servo/store@1', sequence: 0, bad: {} };

/**
 * @param retryBad why somebody wants it tried again all the same
 * @returns why the policy failed here, if it did
 * @throws KitError E_BUNDLE_BAD where it did, and nobody wants it retried
 */
export function refuseBad({ bad }: StoreState, digest: string, retryBad: string | undefined): string | undefined {
  const failed = bad[digest];
  if (failed === undefined || retryBad !== undefined) return failed;
  throw new KitError(
    'E_BUNDLE_BAD',
    `policy ${shortDigest(digest)} failed on this robot: ${failed}`,
    'train another, or export it again once the reason is mended; where it was not the policy’s: kit deploy BUNDLE --to TARGET --retry-bad REASON',
  );
}
