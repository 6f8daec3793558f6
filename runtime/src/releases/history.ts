/** `history.jsonl` of a release store: what happened, in order; never changed, only added to. */
import { z } from 'zod';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const words = z.string().min(1).max(2000);

/** One thing that happened in a store, as its history has it. */
export const historyEntrySchema = z.strictObject({
  at: z.iso.datetime().describe('by the robot’s clock, which may be wrong: the order of the lines counts'),
  id: z.string().describe('of the deployment'),
  digest,
  event: z.enum([
    'verified',
    'admitted',
    'tested',
    'proposed',
    'shadow',
    'limited',
    'full',
    'committed',
    'rolled-back',
    'refused',
  ]),
  words,
  seconds: z.number().min(0).describe('that the step took'),
  by: words.optional(),
  figures: z.record(z.string(), z.number()).optional(),
});
export type HistoryEntry = z.infer<typeof historyEntrySchema>;
