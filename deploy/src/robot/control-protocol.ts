/** What the robot's service can be told over its socket: one JSON object a line, one line back for each. */
import type { ExitReason } from '@sim2servo/models/error';
import { z } from 'zod';

export const controlRequestSchema = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('start'),
    seconds: z.number().positive().optional().describe('ends by itself after this time; without it, by stop only'),
  }),
  z.strictObject({ do: z.literal('stop') }),
  z.strictObject({ do: z.literal('state') }),
]);
export type ControlRequest = z.infer<typeof controlRequestSchema>;

/** waiting: without torque, since nobody said start. */
export const serviceMotions = ['waiting', 'starting', 'driving', 'stopping'] as const;
export type ServiceMotion = (typeof serviceMotions)[number];

const failure = z.strictObject({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  exit: z.string().transform(exit => exit as ExitReason),
});
export type ControlFailure = z.infer<typeof failure>;

export const serviceStateSchema = z.strictObject({
  motion: z.enum(serviceMotions),
  robot: z.string(),
  policy: z.string().optional().describe('digest of what drives, or would drive; absent where there is none that can'),
  words: z.string().describe('how the last run ended, or why it can’t begin'),
  failure: failure.optional().describe('of the last run, or of the policy'),
  ticks: z.int().min(0).describe('of this process so far, those of waiting too'),
  pid: z.int(),
  firstTickAtMs: z.number().describe('when this process first ticked, in ms since 1970 by the robot’s clock'),
  rssBytes: z.int().min(0),
  lostNotifications: z.int().min(0),
});
export type ServiceState = z.infer<typeof serviceStateSchema>;

export const controlAnswerSchema = z.union([
  z.strictObject({ answer: serviceStateSchema }),
  z.strictObject({ error: failure }),
]);
export type ControlAnswer = z.infer<typeof controlAnswerSchema>;

/** Nobody sends more in a line. */
export const longestLine = 64 * 1024;
