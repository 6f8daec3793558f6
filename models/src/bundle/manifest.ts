/** `policy.json`: what a policy needs to be run safely, and where it comes from. */
import { z } from 'zod';
import { sha256 as digestOf } from '../digest.js';
import { unprintable } from '../printable.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
/** Shown on terminals, and in the manifest of somebody unknown, too: no word may pass for a line of ours. */
const word = z.string().refine(text => !unprintable.test(text), { error: 'holds what cannot be shown' });
const names = z.array(word.min(1)).min(1);
const version = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/, 'a version as x.y.z');

/** The manifest's own format; a runtime refuses any other. */
export const manifestFormat = 'sim2servo/policy@1';

/** Of manifests that are older than the field: whatever could write them can run them. */
const unsaidRuntime = { needs: '0.1.0' };

/** The first runtime that runs what this kit exports: to be raised with whatever an older one would not run, or run otherwise. */
export const runtimeNeeded = '0.1.0';

/** Of a bundle and its folder, so that nobody has to read without end. Ours have 3 to 4 files and 4 KiB of manifest. */
export const bundleLimits = {
  manifestBytes: 256 * 2 ** 10,
  signatureBytes: 16 * 2 ** 10,
  files: 32,
  fileBytes: 64 * 2 ** 20,
  bundleBytes: 128 * 2 ** 20,
} as const;

/** What stands in a bundle's folder and in no manifest. */
export const manifestName = 'policy.json';
export const signatureName = 'policy.json.minisig';

const lowerCase = (files: object): string[] => Object.keys(files).map(name => name.toLowerCase());

/** What every manifest says, also one of a later kit: enough to tell whether this one may read on. */
export const manifestHeadSchema = z.looseObject({
  runtime: z.looseObject({ needs: version }).default(unsaidRuntime),
});

export const manifestSchema = z.strictObject({
  format: z.literal(manifestFormat),
  name: word.min(1),
  createdAt: z.iso.datetime(),
  robot: z.strictObject({ name: word, specSha256: sha256 }),
  task: word,
  controlRateHz: z.number().positive().max(2000),
  observation: z.strictObject({ names }),
  action: z.strictObject({
    names,
    kind: z.enum(['position', 'delta-position', 'velocity']),
    scale: z.number().positive(),
  }),
  runtime: z
    .strictObject({ needs: version.describe('the least version of the runtime that runs it') })
    .default(unsaidRuntime),
  files: z
    // ASCII only, so that two names are alike to a file system where they are in lower case.
    .record(z.string().regex(/^[a-z][\w.-]{0,99}$/, 'a plain file name'), sha256)
    .refine(files => Object.hasOwn(files, 'policy.onnx') && Object.hasOwn(files, 'golden.json'), {
      error: 'must list policy.onnx and golden.json',
    })
    .refine(files => !lowerCase(files).some(name => name === manifestName || name === signatureName), {
      error: 'policy.json is sealed and signed, not listed',
    })
    .refine(files => new Set(lowerCase(files)).size === Object.keys(files).length, {
      error: 'two names differ in upper and lower case only: to some file systems they are one',
    })
    .refine(files => Object.keys(files).length <= bundleLimits.files, {
      error: `must be ${bundleLimits.files} files at most`,
    }),
  provenance: z.strictObject({
    algorithm: word,
    config: z.record(z.string(), z.unknown()),
    seed: z.int(),
    steps: z.int(),
    evaluation: z.record(word, z.number()),
    parent: sha256.optional().describe('manifest digest of the policy this one was fine-tuned from'),
    logs: z.array(sha256).default([]).describe('digests of the logs it was fine-tuned with'),
  }),
  seal: sha256.describe('SHA-256 of policy.json with these 64 digits as zeros: no byte of it changes unseen'),
});

export type Manifest = z.infer<typeof manifestSchema>;

const unsealed = '0'.repeat(64);

/** The text of `policy.json`: the manifest, formatted and sealed. */
export function sealManifest(manifest: Omit<z.input<typeof manifestSchema>, 'seal'>): string {
  const text = `${JSON.stringify({ ...manifest, seal: unsealed }, null, 2)}\n`;
  // The seal stands last; a digest of zeros before it would be none of its business.
  const at = text.lastIndexOf(unsealed);
  return text.slice(0, at) + digestOf(text) + text.slice(at + unsealed.length);
}

/** Whether the bytes of a `policy.json` are those that were sealed with `seal`. An accident shows; a forgery shows by the signature only. */
export function isSealed(bytes: Uint8Array, seal: string): boolean {
  const text = Buffer.from(bytes).toString('latin1');
  return digestOf(Buffer.from(text.replace(seal, unsealed), 'latin1')) === seal;
}

export const goldenSchema = z.strictObject({
  observations: z.array(z.array(z.number())).min(1),
  actions: z.array(z.array(z.number())).min(1),
});

/** Observations and the actions that the trainer's own engine gave for them. */
export type Golden = z.infer<typeof goldenSchema>;

/** Whether there is an action for every observation, each of the right size. */
export function goldenFits(golden: Golden, observationSize: number, actionSize: number): boolean {
  return (
    golden.observations.length === golden.actions.length &&
    golden.observations.every(observation => observation.length === observationSize) &&
    golden.actions.every(action => action.length === actionSize)
  );
}

/** The most an action may differ from the golden one. */
export const goldenTolerance = 1e-5;
