/** Reads a policy bundle and refuses whatever is not exactly what its manifest says. Nothing of it is run here. */
import { sha256, shortDigest } from '../digest.js';
import { KitError } from '../error.js';
import { parseStrictJson } from '../strict-json.js';
import { type BundleParts, bundleFolder } from './bundle-folder.js';
import {
  bundleLimits,
  type Golden,
  goldenFits,
  goldenSchema,
  goldenTolerance,
  type Manifest,
  manifestName,
  signatureName,
} from './manifest.js';
import { checkPolicyGraph } from './policy-graph.js';
import { type BundleExpectation, mustBeSigned, readManifest, type SignedManifest } from './signed-manifest.js';

/** What a robot asks of a policy, for whoever loads one. */
export type { BundleExpectation } from './signed-manifest.js';

export interface Bundle extends SignedManifest {
  readonly folder: string;
  /** Where its files are read. */
  readonly parts: BundleParts;
  readonly model: Uint8Array;
  readonly golden: Golden;
}

/**
 * The manifest is verified before any file that it lists is opened, and each file's digest before it is parsed: model and golden vectors of
 * somebody unknown are never looked at.
 *
 * @param folder where it lies, or what it is called in messages
 * @param parts  where it is read, if not in `folder`
 * @throws KitError E_BUNDLE_*, E_MODEL_*, E_SIGNATURE_*, E_FILE_*, E_JSON_*
 */
export function loadBundle(
  folder: string,
  expected: BundleExpectation = {},
  parts: BundleParts = bundleFolder(folder),
): Bundle {
  const manifestBytes = parts.read(manifestName, bundleLimits.manifestBytes) ?? missing(folder, manifestName);
  const signature = mustBeSigned(expected) ? parts.read(signatureName, bundleLimits.signatureBytes) : undefined;
  const signed = readManifest(manifestBytes, signature, expected, folder);
  const { model, golden: goldenBytes } = readFiles(folder, signed.manifest, parts);
  const { observation, action } = signed.manifest;
  checkPolicyGraph(model, observation.names.length, action.names.length);
  const golden = parseStrictJson(goldenBytes, goldenSchema, `golden vectors of ${folder}`);
  if (!goldenFits(golden, observation.names.length, action.names.length))
    throw new KitError(
      'E_BUNDLE_GOLDEN_SHAPE',
      `${folder}/golden.json does not fit the manifest's sizes`,
      'export the policy again with `kit export`',
    );
  return { folder, parts, ...signed, model, golden };
}

function missing(folder: string, name: string): never {
  throw new KitError(
    'E_BUNDLE_MISSING',
    `there is no ${folder}/${name}`,
    'name a folder that `kit export` wrote',
    'usage',
  );
}

/** Every file that the manifest lists is as it was sealed, and no other lies beside them. @returns those that a policy is run from */
function readFiles(
  folder: string,
  manifest: Manifest,
  parts: BundleParts,
): { readonly model: Uint8Array; readonly golden: Uint8Array } {
  const known = new Set([manifestName, signatureName, ...Object.keys(manifest.files)]);
  for (const name of parts.names())
    if (!known.has(name))
      throw new KitError(
        'E_BUNDLE_EXTRA',
        `${folder} holds ${JSON.stringify(name)}, which its manifest does not list`,
        'remove it, or get the bundle again from where it was made',
      );
  const read = new Map<string, Uint8Array>();
  let leftBytes: number = bundleLimits.bundleBytes;
  for (const [name, digest] of Object.entries(manifest.files)) {
    const limit = Math.min(bundleLimits.fileBytes, leftBytes);
    if (used.includes(name)) {
      const bytes = parts.read(name, limit) ?? missing(folder, name);
      read.set(name, bytes);
      checkDigest(folder, name, digest, sha256(bytes));
      leftBytes -= bytes.length;
    } else {
      const found = parts.digest(name, limit) ?? missing(folder, name);
      checkDigest(folder, name, digest, found.sha256);
      leftBytes -= found.bytes;
    }
  }
  return { model: read.get('policy.onnx')!, golden: read.get('golden.json')! };
}

function checkDigest(folder: string, name: string, wanted: string, found: string): void {
  if (found !== wanted)
    throw new KitError(
      'E_BUNDLE_DIGEST',
      `${folder}/${name} was changed after export: its SHA-256 is ${shortDigest(found)}, the manifest says ${shortDigest(wanted)}`,
      'get the bundle again from where it was made',
    );
}

/**
 * Another file of a loaded bundle, as it was sealed.
 *
 * @returns undefined where its manifest lists none of this name
 * @throws  KitError E_BUNDLE_*
 */
export function readExtra(
  { folder, parts, manifest }: Pick<Bundle, 'folder' | 'parts' | 'manifest'>,
  name: string,
): Uint8Array | undefined {
  const digest = Object.hasOwn(manifest.files, name) ? manifest.files[name] : undefined;
  if (digest === undefined) return undefined;
  const bytes = parts.read(name, bundleLimits.fileBytes) ?? missing(folder, name);
  checkDigest(folder, name, digest, sha256(bytes));
  return bytes;
}

/**
 * Every file of a loaded bundle, as it is now, by its name in it; its signature where there is one.
 *
 * @throws KitError E_BUNDLE_*
 */
export function* contentsOf({
  folder,
  parts,
  manifest,
}: Pick<Bundle, 'folder' | 'parts' | 'manifest'>): Generator<[name: string, bytes: Uint8Array]> {
  for (const name of [manifestName, signatureName, ...Object.keys(manifest.files)]) {
    const bytes = parts.read(name, bundleLimits.fileBytes);
    if (bytes !== undefined) yield [name, bytes];
    else if (name !== signatureName) missing(folder, name);
  }
}

/** What a policy is run from. The others are verified, and not kept: a learner is for who trains on. */
const used: readonly string[] = ['policy.onnx', 'golden.json'];

/**
 * Runs the golden observations through `infer` and compares with the trainer's actions.
 *
 * @returns the largest difference
 * @throws  KitError E_BUNDLE_GOLDEN where it is over {@link goldenTolerance}
 */
export async function checkGolden(
  bundle: Pick<Bundle, 'golden' | 'folder'>,
  infer: (observation: Float32Array) => ArrayLike<number> | Promise<ArrayLike<number>>,
): Promise<number> {
  let worst = 0;
  for (const [i, observation] of bundle.golden.observations.entries()) {
    const action = await infer(Float32Array.from(observation));
    if (action.length !== bundle.golden.actions[i]!.length)
      throw new KitError(
        'E_BUNDLE_GOLDEN',
        `${bundle.folder}: the policy gives ${action.length} numbers, the trainer gave ${bundle.golden.actions[i]!.length}`,
        'export the policy again with `kit export`',
      );
    for (const [j, expected] of bundle.golden.actions[i]!.entries()) {
      const difference = Math.abs(action[j]! - expected);
      if (!(difference <= goldenTolerance))
        throw new KitError(
          'E_BUNDLE_GOLDEN',
          `${bundle.folder}: golden vector ${i} gives ${action[j]} on this machine, the trainer gave ${expected} (tolerance ${goldenTolerance})`,
          'this machine computes the policy differently: do not run it; export it again, or report the machine',
        );
      worst = Math.max(worst, difference);
    }
  }
  return worst;
}
