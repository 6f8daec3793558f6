/** Writes a policy bundle: into a folder of another name first, so that nobody ever sees half of one. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { sha256 } from '../digest.js';
import { writeDurably } from '../durable-file.js';
import { KitError, messageOf } from '../error.js';
import { observationNames } from '../observe.js';
import type { RobotSpec } from '../robot-spec.js';
import { type Golden, goldenSchema, type Manifest, manifestFormat, manifestSchema } from './manifest.js';
import { checkPolicyGraph } from './policy-graph.js';

export interface BundleContent {
  readonly name: string;
  readonly robot: { readonly spec: RobotSpec; readonly specSha256: string };
  readonly task: string;
  readonly controlRateHz: number;
  readonly model: Uint8Array;
  readonly golden: Golden;
  readonly provenance: Manifest['provenance'];
  /** Files beside the policy, by name; what learning on needs, for instance. A robot does not read them. */
  readonly extra?: Readonly<Record<string, Uint8Array>>;
  readonly createdAt: Date;
}

/**
 * @param folder must not exist yet, or hold a bundle, which is then replaced
 * @returns the digest of the manifest
 */
export function writeBundle(folder: string, content: BundleContent): string {
  const { spec, specSha256 } = content.robot;
  const names = observationNames(spec);
  checkPolicyGraph(content.model, names.length, spec.joints.length);
  const extra = content.extra ?? {};
  const golden = `${JSON.stringify(goldenSchema.parse(content.golden))}\n`;
  const manifest: Manifest = manifestSchema.parse({
    format: manifestFormat,
    name: content.name,
    createdAt: content.createdAt.toISOString(),
    robot: { name: spec.name, specSha256 },
    task: content.task,
    controlRateHz: content.controlRateHz,
    observation: { names },
    action: { names: spec.joints.map(j => j.name), kind: spec.action.kind, scale: spec.action.scale },
    files: {
      'policy.onnx': sha256(content.model),
      'golden.json': sha256(golden),
      ...Object.fromEntries(Object.entries(extra).map(([file, bytes]) => [file, sha256(bytes)])),
    },
    provenance: content.provenance,
  });
  const manifestText = `${JSON.stringify(manifest, null, 2)}\n`;
  const target = resolve(folder);
  if (existsSync(target) && !existsSync(join(target, 'policy.json')))
    throw new KitError('E_BUNDLE_TARGET', `${target} exists and is not a bundle`, 'name another folder', 'usage');
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}`);
  try {
    mkdirSync(draft, { recursive: true });
    writeDurably(join(draft, 'policy.onnx'), content.model);
    writeDurably(join(draft, 'golden.json'), golden);
    for (const [file, bytes] of Object.entries(extra)) writeDurably(join(draft, file), bytes);
    writeDurably(join(draft, 'policy.json'), manifestText);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw new KitError(
      'E_BUNDLE_WRITE',
      `can't write the bundle ${target}: ${messageOf(error)}`,
      'free some space, or name a folder that you may write',
      'failed',
      { cause: error },
    );
  }
  return sha256(manifestText);
}
