/**
 * What a deployer and the agent on a robot say to each other, whatever carries it: JSON, one object a line (docs/deploy.md). Files go
 * beside it, each by its own transport.
 */
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { storeStateSchema, trialSchema } from '@sim2servo/runtime/releases/store-state';
import { z } from 'zod';

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
});
export type Status = z.infer<typeof statusSchema>;

export interface Answers {
  readonly hello: { readonly protocol: number } & Status;
  /** What must be sent, and from which byte on. */
  readonly lacking: readonly { readonly sha256: string; readonly from: number }[];
  readonly received: Record<string, never>;
  readonly install: { readonly id: string; readonly outcome: 'proposed' | 'current' };
  readonly follow: { readonly outcome: 'committed' | 'rolled-back' | 'waiting'; readonly words: string };
  readonly status: Status;
  readonly history: readonly HistoryEntry[];
  readonly rollback: { readonly digest: string };
}
export type AnswerTo<R extends Request> = Answers[R['kind']];

/** A line from the agent: what happens meanwhile, then one answer or one error. */
export type FromAgent =
  | { readonly id: number; readonly event: HistoryEntry }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: { code: string; message: string; hint: string; exit: string } };

/** One robot that can be deployed to. */
export interface RobotConnection {
  /** @throws KitError the agent's own, or E_TARGET_* where nobody answers */
  request<R extends Request>(request: R, onEvent?: (entry: HistoryEntry) => void): Promise<AnswerTo<R>>;
  /** Brings a file into the robot's `incoming/`, from byte `from` on. */
  send(file: { sha256: string; content: Uint8Array }, from: number, onSent: (bytes: number) => void): Promise<void>;
  close(): Promise<void>;
}
