/**
 * What host and bridge say to each other across an MQTT broker: topics and payloads (docs/mqtt.md). JSON, so that any MQTT client can read along;
 * it has no NaN and no infinity, so none can cross.
 *
 * Every time is the bridge's own, in µs since it started: no two clocks have to agree.
 */
import { z } from 'zod';
import { brokerName } from './site.js';

/** What all topics of one robot begin with. */
export function topicRoot(name: string): string {
  return `kit/v1/${brokerName.parse(name)}`;
}

/** Topics of one robot. */
export function topicsOf(name: string) {
  const base = topicRoot(name);
  return {
    /** host → bridge: a {@link Command}. Never retained. */
    command: `${base}/command`,
    /** Anything on it, from anybody, holds the arm. */
    stop: `${base}/stop`,
    /** bridge → host: an {@link Answer} to everything but a motion. */
    answer: `${base}/answer`,
    /** A {@link StateMessage} for each sample. */
    state: `${base}/state`,
    /** A {@link Status}; retained, and the bridge's last will. */
    status: `${base}/status`,
    /** A {@link Telemetry} a second, for dashboards. */
    telemetry: `${base}/telemetry`,
  };
}
export type Topics = ReturnType<typeof topicsOf>;

const uint32 = z.int().min(0).max(0xffff_ffff);
const timeUs = z.int().min(0);
const count = z.int().min(0);
const measured = z.number().nullable().describe('null where the sensor gave no number');
const deviceState = z.enum(['limp', 'armed', 'held', 'latched']);

/** A bridge that was restarted begins a new life, and its clock anew. */
const boot = uint32.describe("number of the bridge's life; random");

const head = {
  boot,
  session: uint32.describe('random, new at every arming; 0: of a host that has none'),
  sequence: uint32.describe('counts up within a session'),
  sampleUs: timeUs.describe('the sample that it answers'),
  ttlMs: z.int().min(1).max(10_000).describe('how long after that sample it counts; the bridge may allow less'),
  hostUs: timeUs.describe("the host's clock when it was sent; comes back in the state's echo"),
};

export const commandSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('arm'), ...head, host: z.string().max(200).describe('who asks, in words') }),
  z.strictObject({
    kind: z.literal('motion'),
    ...head,
    targetsRad: z.array(z.number()).describe("one for each joint, in the status's order"),
  }),
  z.strictObject({
    kind: z.literal('hold'),
    ...head,
    by: z
      .enum(['measured', 'told'])
      .optional()
      .describe(
        'where to hold: near where the joints are, or, where that can not be trusted, where they were told to be',
      ),
  }),
  z.strictObject({ kind: z.literal('relax'), ...head }),
]);
export type Command = z.infer<typeof commandSchema>;
export type CommandOf<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>;

/** To everything but a motion; boot, session and sequence are the command's. */
export const answerSchema = z.strictObject({
  boot,
  session: uint32,
  sequence: uint32,
  done: z.boolean(),
  reason: z.string().describe('why not; empty where it was done'),
  hint: z.string().describe('what to do about it'),
});
export type Answer = z.infer<typeof answerSchema>;

export const stateSchema = z.strictObject({
  boot,
  sample: z.int().describe('counts up; what is missing was dropped on the way'),
  sampleUs: timeUs.describe('when the positions were sampled'),
  sentUs: timeUs,
  session: uint32.describe('whose commands are obeyed; 0: nobody’s'),
  device: deviceState,
  reason: z.string().describe('why it is held or latched'),
  positionRad: z.array(measured).describe("one for each joint, in the status's order"),
  phaseUs: z.number().describe('where in its output period the device sampled'),
  periodUs: z.number().describe('time between two samples'),
  linkErrors: z.int().describe('of the local bus, commands refused, messages dropped'),
  echo: z
    .strictObject({ hostUs: timeUs, heldUs: timeUs })
    .nullable()
    .describe('of the last command let through: the host’s time in it, and how long ago it came'),
});
export type StateMessage = z.infer<typeof stateSchema>;

export const statusSchema = z.discriminatedUnion('state', [
  z.strictObject({
    state: z.literal('online'),
    boot: uint32,
    robot: z.string(),
    specSha256: z.string(),
    joints: z.array(z.string()),
    deadlineMs: z.int(),
    machine: z.string().describe('the machine that the bridge runs on'),
  }),
  z.strictObject({ state: z.literal('offline'), boot: uint32, reason: z.string() }),
]);
export type Status = z.infer<typeof statusSchema>;

/** Why a command was refused, in the order in which it is looked at. */
export const refusals = ['retained', 'malformed', 'boot', 'stale', 'busy', 'session', 'sequence'] as const;
export type Refusal = (typeof refusals)[number];

export const telemetrySchema = z.strictObject({
  boot: uint32,
  time: z.iso.datetime().describe("of the wall clock of the bridge's machine"),
  device: deviceState,
  reason: z.string(),
  host: z.string().describe('who has the arm, in words; empty: nobody'),
  positionRad: z.record(z.string(), measured).describe('by joint'),
  obeyed: count.describe('commands let through since the bridge started'),
  refused: z.record(z.enum(refusals), count),
  samples: count,
  dropped: count.describe('messages not sent because the broker was away or slow'),
});
export type Telemetry = z.infer<typeof telemetrySchema>;

/** Every payload, under the last word of its topic. */
export const bridgeMessagesSchema = z.strictObject({
  command: commandSchema,
  answer: answerSchema,
  state: stateSchema,
  status: statusSchema,
  telemetry: telemetrySchema,
});

/** A payload as `schema` has it, or undefined. */
export function decode<T>(schema: z.ZodType<T>, payload: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(payload)).data;
  } catch {
    // Not even JSON: the caller counts it.
    return undefined;
  }
}
