/** Writes a policy bundle: into a folder of another name first, so that nobody ever sees half of one. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { sha256 } from '../digest.js';
import { syncFolder, writeDurably } from '../durable-file.js';
import { KitError, messageOf } from '../error.js';
import { parseJson } from '../json-file.js';
import { observationNames } from '../observe.js';
import type { RobotSpec } from '../robot-spec.js';
import {
  type Golden,
  goldenFits,
  goldenSchema,
  type Manifest,
  manifestFormat,
  manifestSchema,
  runtimeNeeded,
  sealManifest,
} from './manifest.js';
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
 * @throws  KitError E_MODEL_*, E_FILE_SCHEMA, E_BUNDLE_GOLDEN_SHAPE, E_BUNDLE_TARGET, E_BUNDLE_WRITE; an old bundle then stays as it was
 */
export function writeBundle(folder: string, content: BundleContent): string {
  const files = bundleFiles(content);
  const target = resolve(folder);
  if (existsSync(target) && !existsSync(join(target, 'policy.json')))
    throw new KitError('E_BUNDLE_TARGET', `${target} exists and is not a bundle`, 'name another folder', 'usage');
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    discard(draft);
    mkdirSync(draft, { recursive: true });
    for (const [file, bytes] of files) writeDurably(join(draft, file), bytes);
    replaceFolder(target, draft);
  } catch (error) {
    discard(draft);
    throw new KitError(
      'E_BUNDLE_WRITE',
      `can't write the bundle ${target}: ${messageOf(error)}`,
      'free some space, or name a folder that you may write',
      'failed',
      { cause: error },
    );
  }
  return sha256(files.get('policy.json')!);
}

/** Every file of the bundle by name, the manifest last; checked as a reader will check them. */
function bundleFiles(content: BundleContent): Map<string, Uint8Array | string> {
  const { spec, specSha256 } = content.robot;
  const names = observationNames(spec);
  const actionNames = spec.joints.map(j => j.name);
  checkPolicyGraph(content.model, names.length, actionNames.length);
  const golden = `${JSON.stringify(content.golden)}\n`;
  // JSON has no NaN: an action that is none became null, and the schema says at which path.
  if (!goldenFits(parseJson(golden, goldenSchema, 'golden vectors'), names.length, actionNames.length))
    throw new KitError(
      'E_BUNDLE_GOLDEN_SHAPE',
      `the golden vectors do not fit ${names.length} observations and ${actionNames.length} actions`,
      'this is a mistake in the exporter: please report it',
      'bug',
    );
  const files = new Map<string, Uint8Array | string>([
    ['policy.onnx', content.model],
    ['golden.json', golden],
  ]);
  for (const [file, bytes] of Object.entries(content.extra ?? {})) {
    if (files.has(file) || file.startsWith('policy.json'))
      throw new KitError('E_BUNDLE_NAME', `'${file}' is the bundle's own`, 'give the extra file another name', 'bug');
    files.set(file, bytes);
  }
  const manifest = sealManifest({
    format: manifestFormat,
    name: content.name,
    createdAt: content.createdAt.toISOString(),
    robot: { name: spec.name, specSha256 },
    task: content.task,
    controlRateHz: content.controlRateHz,
    observation: { names },
    action: { names: actionNames, kind: spec.action.kind, scale: spec.action.scale },
    runtime: { needs: runtimeNeeded },
    files: Object.fromEntries([...files].map(([file, bytes]) => [file, sha256(bytes)])),
    provenance: content.provenance,
  });
  parseJson(manifest, manifestSchema, 'manifest');
  return files.set('policy.json', manifest);
}

/** Even a forced `rmSync` throws where a folder above is a file, and would then hide the error that it cleans up after. */
function discard(folder: string): void {
  if (existsSync(folder)) rmSync(folder, { recursive: true });
}

/**
 * Puts `draft` in the place of `target`. Node cannot exchange two folders in one step, so the old one is set aside first: whoever is
 * killed between the two renames leaves both beside each other, whole, and nothing under `target`'s name.
 */
function replaceFolder(target: string, draft: string): void {
  if (existsSync(target)) {
    const aside = join(dirname(target), `.${basename(target)}.${process.pid}.old`);
    // Left by a writer that was killed, of the same process id (in a container it often is): older than what stands at `target`.
    discard(aside);
    renameSync(target, aside);
    try {
      renameSync(draft, target);
    } catch (error) {
      renameSync(aside, target);
      throw error;
    }
    syncFolder(dirname(target));
    discard(aside);
  } else {
    renameSync(draft, target);
    syncFolder(dirname(target));
  }
}
