/** What belongs to one desk: the port, the servos on it, how a joint angle becomes a pulse or a count, keys. Beside the spec, never in a policy's digest. */
import { z } from 'zod';
import { publicKeyPattern } from './bundle/minisign-public-key.js';
import { KitError } from './error.js';

const pulse = z.int().min(500).max(2500);
const counts = z.number().min(0).max(1023);
const minisignKey = z.string().regex(publicKeyPattern, 'a minisign public key: the second line of the .pub file');

const hobbyServo = z
  .strictObject({
    kind: z.literal('hobby-pwm'),
    joint: z.string(),
    id: z.int().min(0).max(253).describe('channel on the board'),
    pulseUs: z.tuple([pulse, pulse]).describe('pulse at the lower and at the upper end of angleRad; may run downwards'),
    angleRad: z.tuple([z.number(), z.number()]).describe('joint angles at the two pulses'),
    feedback: z.strictObject({
      counts: z.tuple([counts, counts]).describe('converter counts (0 … 1023) at the two angles of angleRad'),
    }),
    offsetRad: z.number().default(0).describe('added to every measured angle: calibration'),
  })
  .refine(s => s.pulseUs[0] !== s.pulseUs[1], { path: ['pulseUs'], error: 'the two pulses must differ' })
  .refine(s => s.angleRad[0] < s.angleRad[1], { path: ['angleRad'], error: 'the lower angle comes first' })
  .refine(s => s.feedback.counts[0] !== s.feedback.counts[1], {
    path: ['feedback', 'counts'],
    error: 'the two counts must differ',
  });

/** Positions of one turn of a bus servo. */
export const countsPerTurn = 4096;

const countedServo = {
  joint: z.string(),
  id: z.int().min(0).max(252).describe('address on the bus'),
  zeroCount: z
    .int()
    .min(0)
    .max(countsPerTurn - 1)
    .describe('position that the servo reports where the joint stands at 0 rad; kit calibrate finds it'),
  direction: z.union([z.literal(1), z.literal(-1)]).describe('−1 where counts fall as the joint angle rises'),
};
/** Models that a bus of their kind can be driven with. */
export const countedModels = {
  feetech: ['sts3215'],
  dynamixel: ['xl330-m077', 'xl330-m288', 'xl430-w250', 'xm430-w350'],
} as const;
const feetechServo = z.strictObject({
  kind: z.literal('feetech'),
  model: z.enum(countedModels.feetech),
  ...countedServo,
});
const dynamixelServo = z.strictObject({
  kind: z.literal('dynamixel'),
  model: z.enum(countedModels.dynamixel),
  ...countedServo,
});

const port = z.string().min(1).optional().describe('path of the serial port; --port wins');
const servoBaudRate = z.int().positive().default(1_000_000);

export const brokerUrl = z
  .string()
  .regex(/^mqtts?:\/\/[^/\s]+$/, 'mqtt://HOST[:PORT], or mqtts:// for TLS')
  .describe('mqtt://[USER:PASSWORD@]HOST[:PORT], or mqtts:// for TLS');
/** What stands in a topic. */
export const brokerName = z.string().regex(/^[A-Za-z0-9_-]+$/, 'letters, digits, - and _');
const pemFile = (what: string) => z.string().min(1).optional().describe(`PEM file, relative to this folder: ${what}`);
const tlsFiles = {
  ca: pemFile('who vouches for the broker; default: what the system trusts'),
  cert: pemFile('our certificate'),
  key: pemFile("our certificate's key"),
};

/**
 * What is on the other end of the port; the key is the kind of bus, and names the kind of servo that hangs on it. Behind a broker there may
 * be any, and the site of the bridge knows them.
 */
export const servoKinds = { kitlink: 'hobby-pwm', feetech: 'feetech', dynamixel: 'dynamixel' } as const;

const bus = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('kitlink'),
    port,
    baudRate: z.int().positive().default(500_000),
    deadlineMs: z.int().min(20).max(500).default(60).describe('silence after which the board holds the arm by itself'),
  }),
  z.strictObject({
    kind: z.literal('feetech'),
    port,
    baudRate: servoBaudRate,
    leadMs: z
      .int()
      .min(20)
      .max(500)
      .default(100)
      .describe(
        'no goal lies further from the measured position than the maximal velocity times this: these servos have no deadline, so this is how far one goes when nobody speaks any more',
      ),
  }),
  z.strictObject({
    kind: z.literal('dynamixel'),
    port,
    baudRate: servoBaudRate,
    deadlineMs: z
      .int()
      .min(20)
      .max(2540)
      .multipleOf(20)
      .default(100)
      .describe('silence after which each servo stops by itself: its bus watchdog, in steps of 20 ms'),
  }),
  z.strictObject({
    kind: z.literal('mqtt'),
    broker: brokerUrl,
    name: brokerName.optional().describe('that kit bridge serves the robot under; default: the name in robot.json'),
    deadlineMs: z
      .int()
      .min(20)
      .max(500)
      .default(100)
      .describe(
        'a command is good for this long after the sample that it answers; then the bridge holds the arm by itself. The bridge may allow less',
      ),
    ...tlsFiles,
  }),
]);

export const siteSchema = z
  .strictObject({
    $schema: z.string().optional(),
    format: z.literal('sim2servo/site@1'),
    bus,
    servos: z
      .array(z.discriminatedUnion('kind', [hobbyServo, feetechServo, dynamixelServo]))
      .default([])
      .describe('one for each joint; behind a broker only the simulation looks at them'),
    trustedKeys: z
      .array(minisignKey)
      .default([])
      .describe('minisign public keys; where one stands here an unsigned policy is refused'),
    revokedKeys: z
      .array(z.string().regex(/^[0-9A-F]{16}$/, 'the id of a minisign key: 16 digits, as in its .pub file'))
      .default([])
      .describe('ids of minisign keys that no longer count, also where they stand under trustedKeys'),
  })
  .superRefine((site, context) => {
    const ids = new Set<number>();
    const joints = new Set<string>();
    if (site.bus.kind !== 'mqtt' && site.servos.length === 0)
      context.addIssue({ code: 'custom', path: ['servos'], message: 'there must be one for each joint', input: [] });
    for (const [i, servo] of site.servos.entries()) {
      const complain = (key: string, message: string) =>
        context.addIssue({ code: 'custom', path: ['servos', i, key], message, input: servo });
      const wanted = site.bus.kind === 'mqtt' ? servo.kind : servoKinds[site.bus.kind];
      if (servo.kind !== wanted) complain('kind', `a ${site.bus.kind} bus has servos of kind '${wanted}'`);
      if (ids.has(servo.id)) complain('id', `servo id ${servo.id} stands twice`);
      if (joints.has(servo.joint)) complain('joint', `joint '${servo.joint}' has two servos`);
      ids.add(servo.id);
      joints.add(servo.joint);
    }
  });

export type Site = z.infer<typeof siteSchema>;
export type Bus = Site['bus'];
export type Servo = Site['servos'][number];
export type HobbyServo = Extract<Servo, { kind: 'hobby-pwm' }>;
/** A servo that counts its position itself and speaks for itself. */
export type CountedServo = Exclude<Servo, HobbyServo>;

/** A servo as people are told of it. */
export interface NamedServo {
  readonly id: number;
  /** Absent where no robot is known. */
  readonly joint?: string;
}

export function servoNames(...servos: readonly NamedServo[]): string {
  return servos.map(({ id, joint }) => `servo ${id}${joint === undefined ? '' : ` of joint '${joint}'`}`).join(', ');
}

/** A site whose bus is of this kind, and so its servos. */
export interface SiteOn<Kind extends Bus['kind']> {
  readonly bus: Extract<Bus, { kind: Kind }>;
  readonly servos: readonly (Kind extends keyof typeof servoKinds
    ? Extract<Servo, { kind: (typeof servoKinds)[Kind] }>
    : Servo)[];
}

/** How long an arm goes on by itself when nobody speaks any more, at most. */
export function silenceMs(bus: Bus): number {
  return bus.kind === 'feetech' ? bus.leadMs : bus.deadlineMs;
}

/** @throws KitError E_BUS_KIND */
export function siteOn<Kind extends Bus['kind']>(site: Site, kind: Kind): SiteOn<Kind> {
  if (site.bus.kind === kind) return site as unknown as SiteOn<Kind>;
  throw new KitError(
    'E_BUS_KIND',
    `this robot has a ${site.bus.kind} bus, and a ${kind} bus was asked for`,
    `take a robot whose site.json says ${kind}`,
    'usage',
  );
}
