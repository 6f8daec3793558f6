/** `policy.json`: what a policy needs to be run safely, and where it comes from. */
import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const names = z.array(z.string().min(1)).min(1);

/** The manifest's own format; a runtime refuses any other. */
export const manifestFormat = 'sim2servo/policy@1';

export const manifestSchema = z.strictObject({
  format: z.literal(manifestFormat),
  name: z.string().min(1),
  createdAt: z.iso.datetime(),
  robot: z.strictObject({ name: z.string(), specSha256: sha256 }),
  task: z.string(),
  controlRateHz: z.number().positive().max(2000),
  observation: z.strictObject({ names }),
  action: z.strictObject({
    names,
    kind: z.enum(['position', 'delta-position', 'velocity']),
    scale: z.number().positive(),
  }),
  files: z
    .record(z.string().regex(/^[a-z][\w.-]*$/, 'a plain file name'), sha256)
    .refine(files => 'policy.onnx' in files && 'golden.json' in files, 'must list policy.onnx and golden.json'),
  provenance: z.strictObject({
    algorithm: z.string(),
    config: z.record(z.string(), z.unknown()),
    seed: z.int(),
    steps: z.int(),
    evaluation: z.record(z.string(), z.number()),
    parent: sha256.optional().describe('manifest digest of the policy this one was fine-tuned from'),
    logs: z.array(sha256).default([]).describe('digests of the logs it was fine-tuned with'),
  }),
});

export type Manifest = z.infer<typeof manifestSchema>;

export const goldenSchema = z.strictObject({
  observations: z.array(z.array(z.number())).min(1),
  actions: z.array(z.array(z.number())).min(1),
});

/** Observations and the actions that the trainer's own engine gave for them. */
export type Golden = z.infer<typeof goldenSchema>;

/** The most an action may differ from the golden one. */
export const goldenTolerance = 1e-5;
