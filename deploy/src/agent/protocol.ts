/**
 * What a deployer and the agent on a robot say to each other, whatever carries it: JSON, one object a line (docs/deploy.md). Files go
 * beside it, each by its own transport.
 */
import { exitCodes } from '@sim2servo/models/error';
import { type HistoryEntry, historyEntrySchema } from '@sim2servo/runtime/releases/history';
import { storeStateSchema, trialSchema } from '@sim2servo/runtime/releases/store-state';
import { z } from 'zod';
import { lastErrorSchema } from './health.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const words = z.string().min(1).max(2000);
const bytes = z.int().min(0);

/** Of this protocol; an agent refuses any other. */
export const protocolVersion = 1;

export const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('hello'), protocol: z.int() }),
  z.strictObject({ kind: z.literal('lacking'), files: z.array(z.strictObject({ sha256: digest, bytes })) }),
  z.strictObject({ kind: z.literal('received'), sha256: digest }),
  z.strictObject({
    kind: z.literal('install'),
    manifest: digest.describe('file that holds policy.json'),
    signature: digest.optional().describe('file that holds policy.json.minisig'),
    skip: trialSchema.shape.skip,
    retryBad: words.optional().describe('why it is to be tried again where it failed'),
    by: words.describe('who asks, for the history'),
  }),
  z.strictObject({ kind: z.literal('follow'), id: z.string() }),
  z.strictObject({ kind: z.literal('status') }),
  z.strictObject({ kind: z.literal('history'), last: z.int().positive() }),
  z.strictObject({ kind: z.literal('rollback'), reason: words, by: words }),
]);
export type Request = z.infer<typeof requestSchema>;

export const statusSchema = z.strictObject({
  robot: z.string().optional().describe('absent where the store knows no robot'),
  runtimeVersion: z.string(),
  platform: z.string(),
  current: digest.optional(),
  previous: digest.optional(),
  state: storeStateSchema,
  running: z.strictObject({ digest, sinceS: z.number() }).optional().describe('a loop that follows this store'),
  freeBytes: bytes,
  lastError: lastErrorSchema.optional().describe('why the arm does not drive, else why the last deployment failed'),
});
export type Status = z.infer<typeof statusSchema>;

export const answerSchemas = {
  hello: statusSchema.extend({
    protocol: z.int(),
    incoming: z
      .string()
      .regex(/^\/[^\p{Cc}"\\]*$/u, 'an absolute path without control characters')
      .describe('folder that files of this connection are put into, as SHA256.part'),
  }),
  /** What must be sent, and from which byte on. The folder that it is put into is there from now on. */
  lacking: z.array(z.strictObject({ sha256: digest, from: bytes })),
  received: z.strictObject({}),
  install: z.strictObject({ id: z.string(), outcome: z.enum(['proposed', 'current']) }),
  follow: z.strictObject({ outcome: z.enum(['committed', 'rolled-back', 'waiting', 'undecided']), words: z.string() }),
  status: statusSchema,
  history: z.array(historyEntrySchema),
  rollback: z.strictObject({ digest }),
} satisfies Record<Request['kind'], z.ZodType>;
export type Answers = { readonly [Kind in Request['kind']]: z.infer<(typeof answerSchemas)[Kind]> };
export type AnswerTo<R extends Request> = Answers[R['kind']];

const id = z.int().min(0);
export const packedErrorSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  exit: z.enum(Object.keys(exitCodes) as [keyof typeof exitCodes]),
  stack: z.string(),
});

/** A line to the agent. */
export const toAgentSchema = z.strictObject({ id, request: requestSchema });
/** A line from the agent: what happens meanwhile, then one answer or one error. */
export const fromAgentSchema = z.union([
  z.strictObject({ id, event: historyEntrySchema }),
  z.strictObject({ id, answer: z.unknown() }),
  z.strictObject({ id, error: packedErrorSchema }),
]);
export type FromAgent = z.infer<typeof fromAgentSchema>;

export interface OutgoingFile {
  readonly sha256: string;
  readonly content: Uint8Array;
}

/** One robot that can be deployed to. */
export interface RobotConnection {
  /** @throws KitError the agent's own, or E_TARGET_* where nobody answers */
  request<R extends Request>(request: R, onEvent?: (entry: HistoryEntry) => void): Promise<AnswerTo<R>>;
  /**
   * Brings a file into the robot's `incoming/`, from byte `from` on, which is what `lacking` answered; `received` then verifies it.
   *
   * @param onSent told now and then how many bytes of the file are there
   * @throws KitError E_TARGET_* where it broke off: what arrived stays, and `lacking` says where to go on
   */
  send(file: OutgoingFile, from: number, onSent: (bytes: number) => void): Promise<void>;
  close(): Promise<void>;
}
