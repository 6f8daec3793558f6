/** What belongs to one desk: the port, the servos on it, how a joint angle becomes a pulse, keys. Beside the spec, never in a policy's digest. */
import { z } from 'zod';

const pulse = z.int().min(500).max(2500);
const counts = z.number().min(0).max(1023);
/** 42 bytes in base64 that begin with `Ed`. */
const minisignKey = z
  .string()
  .regex(/^RW[A-Za-z0-9+/]{54}$/, 'a minisign public key: the second line of the .pub file');

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

export const siteSchema = z
  .strictObject({
    $schema: z.string().optional(),
    format: z.literal('sim2servo/site@1'),
    bus: z.strictObject({
      kind: z.literal('kitlink'),
      port: z.string().min(1).optional().describe('path of the serial port; --port wins'),
      baudRate: z.int().positive().default(500_000),
      deadlineMs: z
        .int()
        .min(20)
        .max(500)
        .default(60)
        .describe('silence after which the board holds the arm by itself'),
    }),
    servos: z.array(hobbyServo).min(1),
    trustedKeys: z
      .array(minisignKey)
      .default([])
      .describe('minisign public keys; where one stands here an unsigned policy is refused'),
  })
  .superRefine((site, context) => {
    const ids = new Set<number>();
    const joints = new Set<string>();
    for (const [i, servo] of site.servos.entries()) {
      const complain = (key: string, message: string) =>
        context.addIssue({ code: 'custom', path: ['servos', i, key], message, input: servo });
      if (ids.has(servo.id)) complain('id', `servo id ${servo.id} stands twice`);
      if (joints.has(servo.joint)) complain('joint', `joint '${servo.joint}' has two servos`);
      ids.add(servo.id);
      joints.add(servo.joint);
    }
  });

export type Site = z.infer<typeof siteSchema>;
export type HobbyServo = Site['servos'][number];
