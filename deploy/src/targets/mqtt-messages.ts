/**
 * What a deployer and a robot's agent say to each other across a broker (docs/mqtt.md): the protocol of the agent, in messages that show by
 * themselves that they are meant for now. A broker delivers late, twice, and from days ago. Times are the robot's own: no two clocks agree.
 */
import { topicRoot } from '@sim2servo/models/bridge-messages';
import { historyEntrySchema } from '@sim2servo/runtime/releases/history';
import { z } from 'zod';
import { healths, lastErrorSchema } from '../agent/health.js';
import { packedErrorSchema, requestSchema, statusSchema } from '../agent/protocol.js';

export function deployTopics(name: string) {
  const base = `${topicRoot(name)}/deploy`;
  return {
    /** deployer → robot: a {@link HostMessage}. Never retained. */
    request: `${base}/request`,
    /** deployer → robot: a {@link Chunk}. Never retained. */
    chunk: `${base}/chunk`,
    /** robot → deployers: a {@link RobotMessage}. */
    answer: `${base}/answer`,
    /** robot → everybody: a {@link RobotStatus}; retained, and the robot's last will. */
    status: `${base}/status`,
  };
}

/** A lost message is asked for again; a larger one costs more when it is lost. In base64 four thirds of it. */
export const chunkBytes = 8 * 1024;
/** The longest that a request may count. */
export const maxTtlMs = 10_000;

const uint32 = z.int().min(0).max(0xffff_ffff);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const boot = uint32.describe("number of the agent's life; random");
const session = uint32.describe("of one deployer's connection; random");
const sequence = uint32.describe('counts up within a session');
const robotMs = z.number().min(0).describe("the robot's clock, since the agent started");

export const hostMessageSchema = z.discriminatedUnion('kind', [
  /** Begins a session; moves and changes nothing, so it may be late. */
  z.strictObject({ kind: z.literal('open'), session, nonce: uint32 }),
  z.strictObject({
    kind: z.literal('ask'),
    boot,
    session,
    sequence: sequence.describe('the same when it is asked again: a request is done once'),
    untilMs: robotMs.describe("by the robot's clock: later it does not count"),
    seen: z.int().min(0).describe('events of this request that have arrived'),
    request: requestSchema,
  }),
  z.strictObject({ kind: z.literal('close'), boot, session }),
]);
export type HostMessage = z.infer<typeof hostMessageSchema>;
export type Ask = Extract<HostMessage, { kind: 'ask' }>;

export const chunkSchema = z.strictObject({
  boot,
  session,
  sha256: sha256.describe('of the whole file'),
  offset: z.int().min(0),
  digest: sha256.describe('of these bytes'),
  base64: z.base64().max((chunkBytes * 4) / 3 + 4),
});
export type Chunk = z.infer<typeof chunkSchema>;

/** Why a message was refused, in the order in which it is looked at. */
export const refusals = ['retained', 'malformed', 'boot', 'session', 'expired', 'sequence'] as const;
export type Refusal = (typeof refusals)[number];

const to = { boot, session };
const answering = { ...to, sequence };
export const robotMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('opened'), ...to, nonce: uint32, robotMs }),
  z.strictObject({ kind: z.literal('heard'), ...answering }),
  z.strictObject({ kind: z.literal('event'), ...answering, index: z.int().min(0), event: historyEntrySchema }),
  z.strictObject({
    kind: z.literal('done'),
    ...answering,
    events: z.int().min(0).describe('that came before it'),
    answer: z.unknown().optional(),
    error: packedErrorSchema.optional(),
  }),
  z.strictObject({ kind: z.literal('refused'), ...answering, reason: z.enum(refusals) }),
  z.strictObject({
    kind: z.literal('chunk'),
    ...to,
    sha256,
    have: z.int().min(0).describe('bytes of the file that are there'),
    error: packedErrorSchema.optional(),
  }),
]);
export type RobotMessage = z.infer<typeof robotMessageSchema>;

export const robotStatusSchema = z.discriminatedUnion('state', [
  z.strictObject({
    state: z.literal('online'),
    boot,
    health: z.enum(healths),
    status: statusSchema,
    lastError: lastErrorSchema.optional(),
    refused: z.record(z.enum(refusals), z.int().min(0)).describe('messages, since the agent started'),
  }),
  z.strictObject({ state: z.literal('offline'), boot, reason: z.string() }),
]);
export type RobotStatus = z.infer<typeof robotStatusSchema>;
