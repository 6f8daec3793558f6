/** Reads a policy bundle and refuses whatever is not exactly what its manifest says. Nothing of it is run here. */
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../digest.js';
import { KitError, messageOf } from '../error.js';
import { parseJson } from '../json-file.js';
import { observationNames } from '../observe.js';
import type { RobotSpec } from '../robot-spec.js';
import {
  type Golden,
  goldenFits,
  goldenSchema,
  goldenTolerance,
  isSealed,
  type Manifest,
  manifestSchema,
} from './manifest.js';
import { verifyMinisign } from './minisign.js';
import { checkPolicyGraph } from './policy-graph.js';

/** No policy of an arm comes near this; a file beyond it is a mistake or an attack. */
const maxFileBytes = 64 * 2 ** 20;

export interface Bundle {
  readonly folder: string;
  readonly manifest: Manifest;
  /** SHA-256 of `policy.json`, which holds the digests of all else: it names the policy. */
  readonly digest: string;
  readonly model: Uint8Array;
  readonly golden: Golden;
  /** The other files that the manifest lists, by name. */
  readonly extra?: ReadonlyMap<string, Uint8Array>;
  readonly signed: boolean;
}

export interface BundleExpectation {
  /** The robot it is to run on. */
  readonly robot?: { readonly spec: RobotSpec; readonly specSha256: string };
  /** Where at least one stands, the bundle must be signed by one of them. */
  readonly trustedKeys?: readonly string[];
}

function readPart(folder: string, name: string): Buffer {
  const path = join(folder, name);
  try {
    const stat = lstatSync(path);
    if (!stat.isFile())
      throw new KitError(
        'E_BUNDLE_FILE_KIND',
        `${path} is not a regular file`,
        'export the policy again with `kit export`',
      );
    if (stat.size > maxFileBytes)
      throw new KitError(
        'E_BUNDLE_SIZE',
        `${path} has ${stat.size} bytes, more than ${maxFileBytes}`,
        'export the policy again with `kit export`',
      );
    return readFileSync(path);
  } catch (error) {
    if (error instanceof KitError) throw error;
    throw new KitError(
      'E_BUNDLE_MISSING',
      `can't read ${path}: ${messageOf(error)}`,
      'name a folder that `kit export` wrote',
      'usage',
      { cause: error },
    );
  }
}

/** @throws KitError E_BUNDLE_*, E_MODEL_*, E_SIGNATURE_* */
export function loadBundle(folder: string, expected: BundleExpectation = {}): Bundle {
  const manifestBytes = readPart(folder, 'policy.json');
  const trustedKeys = expected.trustedKeys ?? [];
  if (trustedKeys.length > 0) {
    if (!existsSync(join(folder, 'policy.json.minisig')))
      throw new KitError(
        'E_BUNDLE_UNSIGNED',
        `${folder} is not signed, and site.json names trusted keys`,
        `sign it: minisign -S -m ${join(folder, 'policy.json')}`,
      );
    verifyMinisign(manifestBytes, readPart(folder, 'policy.json.minisig').toString('utf8'), trustedKeys);
  }
  const manifest = parseJson(manifestBytes.toString('utf8'), manifestSchema, `manifest ${join(folder, 'policy.json')}`);
  if (!isSealed(manifestBytes, manifest.seal))
    throw new KitError(
      'E_BUNDLE_DIGEST',
      `${join(folder, 'policy.json')} was changed after export: it does not fit its seal ${manifest.seal.slice(0, 12)}…`,
      'get the bundle again from where it was made',
    );
  const parts = new Map<string, Buffer>();
  for (const [name, digest] of Object.entries(manifest.files)) {
    const bytes = readPart(folder, name);
    const found = sha256(bytes);
    if (found !== digest)
      throw new KitError(
        'E_BUNDLE_DIGEST',
        `${join(folder, name)} was changed after export: its SHA-256 is ${found.slice(0, 12)}…, the manifest says ${digest.slice(0, 12)}…`,
        'get the bundle again from where it was made',
      );
    parts.set(name, bytes);
  }
  if (expected.robot !== undefined) checkRobot(folder, manifest, expected.robot);
  const model = parts.get('policy.onnx')!;
  checkPolicyGraph(model, manifest.observation.names.length, manifest.action.names.length);
  const golden = parseJson(parts.get('golden.json')!.toString('utf8'), goldenSchema, `golden vectors of ${folder}`);
  if (!goldenFits(golden, manifest.observation.names.length, manifest.action.names.length))
    throw new KitError(
      'E_BUNDLE_GOLDEN_SHAPE',
      `${join(folder, 'golden.json')} does not fit the manifest's sizes`,
      'export the policy again with `kit export`',
    );
  parts.delete('policy.onnx');
  parts.delete('golden.json');
  return {
    folder,
    manifest,
    digest: sha256(manifestBytes),
    model,
    golden,
    extra: parts,
    signed: trustedKeys.length > 0,
  };
}

function checkRobot(folder: string, manifest: Manifest, robot: NonNullable<BundleExpectation['robot']>): void {
  const { spec, specSha256 } = robot;
  if (manifest.robot.name !== spec.name)
    throw new KitError(
      'E_BUNDLE_ROBOT',
      `${folder} is a policy for robot '${manifest.robot.name}', not for '${spec.name}'`,
      `run it with --robot ${manifest.robot.name}`,
      'usage',
    );
  if (manifest.robot.specSha256 !== specSha256)
    throw new KitError(
      'E_BUNDLE_SPEC',
      `${folder} was made for another version of robot '${spec.name}' (${manifest.robot.specSha256.slice(0, 12)}…, here ${specSha256.slice(0, 12)}…)`,
      'train or export it again for this robot.json',
    );
  const names = observationNames(spec);
  if (
    names.join() !== manifest.observation.names.join() ||
    spec.joints.map(j => j.name).join() !== manifest.action.names.join()
  )
    throw new KitError(
      'E_BUNDLE_LAYOUT',
      `${folder} has another observation or action layout than robot '${spec.name}'`,
      'export the policy again with `kit export`',
    );
}

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
