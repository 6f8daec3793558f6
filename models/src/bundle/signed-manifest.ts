/**
 * A manifest that may be believed. What is read of a bundle before its signature was verified is the bytes of its manifest, and those only to
 * verify them: they are parsed when they are known to be what somebody trusted has signed, and its files are opened after that.
 */
import { sha256, shortDigest } from '../digest.js';
import { KitError } from '../error.js';
import { observationNames } from '../observe.js';
import type { LoadedRobot } from '../robot-folder.js';
import { parseStrictJson, utf8Of } from '../strict-json.js';
import { compareVersions, runtimeVersion } from '../version.js';
import { isSealed, type Manifest, manifestHeadSchema, manifestSchema } from './manifest.js';
import { verifyMinisign } from './minisign.js';
import { sequenceOf } from './sequence.js';

export interface BundleExpectation {
  /** The robot it is to run on. */
  readonly robot?: Pick<LoadedRobot, 'spec' | 'specSha256'>;
  /** Where at least one stands, the bundle must be signed by one of them. */
  readonly trustedKeys?: readonly string[];
  /** Ids of keys that no longer count. Where one stands a signature is wanted, also where no key is left that could make it. */
  readonly revokedKeys?: readonly string[];
  /** Of the robot, where it is not this machine. */
  readonly runtimeVersion?: string;
}

export interface BundleSignature {
  readonly keyId: string;
  /** Higher is newer. */
  readonly sequence: number;
}

export interface SignedManifest {
  readonly manifest: Manifest;
  /** SHA-256 of `policy.json`, which holds the digests of all else: it names the policy. */
  readonly digest: string;
  /** Who vouches for it; absent where nobody had to. */
  readonly signature?: BundleSignature;
}

/** What a robot asks of every policy that it runs. */
export function expectationOf(robot: LoadedRobot): BundleExpectation {
  const { trustedKeys, revokedKeys } = robot.site;
  return { robot, trustedKeys, revokedKeys };
}

export function mustBeSigned({ trustedKeys = [], revokedKeys = [] }: BundleExpectation): boolean {
  return trustedKeys.length + revokedKeys.length > 0;
}

/**
 * Signature, seal, runtime, schema, robot, in this order.
 *
 * @param bytes     of `policy.json`
 * @param signature of `policy.json.minisig`; undefined where there is none
 * @param where     the bundle, in messages
 * @throws KitError E_BUNDLE_UNSIGNED, E_SIGNATURE_*, E_FILE_JSON, E_JSON_*, E_FILE_SCHEMA, E_BUNDLE_DIGEST, E_BUNDLE_RUNTIME, E_BUNDLE_ROBOT,
 *                  E_BUNDLE_SPEC, E_BUNDLE_LAYOUT
 */
export function readManifest(
  bytes: Uint8Array,
  signature: Uint8Array | undefined,
  expected: BundleExpectation,
  where: string,
): SignedManifest {
  const signedBy = mustBeSigned(expected) ? verified(bytes, signature, expected, where) : undefined;
  const what = `manifest ${where}/policy.json`;
  const { runtime } = parseStrictJson(bytes, manifestHeadSchema, what);
  const here = expected.runtimeVersion ?? runtimeVersion;
  // Before all else that it says: a later kit may say what this one does not know.
  if (compareVersions(runtime.needs, here) > 0)
    throw new KitError(
      'E_BUNDLE_RUNTIME',
      `${where} needs runtime ${runtime.needs} or later, and here is ${here}`,
      'bring the robot up to date first, or export the policy with the kit that fits it',
    );
  const manifest = parseStrictJson(bytes, manifestSchema, what);
  if (!isSealed(bytes, manifest.seal))
    throw new KitError(
      'E_BUNDLE_DIGEST',
      `${where}/policy.json was changed after export: it does not fit its seal ${shortDigest(manifest.seal)}`,
      'get the bundle again from where it was made',
    );
  if (expected.robot !== undefined) checkRobot(where, manifest, expected.robot);
  return { manifest, digest: sha256(bytes), ...(signedBy && { signature: signedBy }) };
}

function verified(
  bytes: Uint8Array,
  signature: Uint8Array | undefined,
  { trustedKeys = [], revokedKeys = [] }: BundleExpectation,
  where: string,
): BundleSignature {
  if (signature === undefined)
    throw new KitError(
      'E_BUNDLE_UNSIGNED',
      `${where} is not signed, and this robot takes signed policies only`,
      `sign it: kit keys sign ${where} --key NAME`,
    );
  const text = utf8Of(signature, `signature ${where}/policy.json.minisig`);
  const { keyId, trustedComment } = verifyMinisign(bytes, text, trustedKeys, revokedKeys);
  return { keyId, sequence: sequenceOf(trustedComment) };
}

function checkRobot(where: string, manifest: Manifest, robot: NonNullable<BundleExpectation['robot']>): void {
  const { spec, specSha256 } = robot;
  if (manifest.robot.name !== spec.name)
    throw new KitError(
      'E_BUNDLE_ROBOT',
      `${where} is a policy for robot '${manifest.robot.name}', not for '${spec.name}'`,
      `run it with --robot ${manifest.robot.name}`,
      'usage',
    );
  if (manifest.robot.specSha256 !== specSha256)
    throw new KitError(
      'E_BUNDLE_SPEC',
      `${where} was made for another version of robot '${spec.name}' (${shortDigest(manifest.robot.specSha256)}, here ${shortDigest(specSha256)})`,
      'train or export it again for this robot.json',
    );
  const names = observationNames(spec);
  if (
    names.join() !== manifest.observation.names.join() ||
    spec.joints.map(j => j.name).join() !== manifest.action.names.join()
  )
    throw new KitError(
      'E_BUNDLE_LAYOUT',
      `${where} has another observation or action layout than robot '${spec.name}'`,
      'export the policy again with `kit export`',
    );
}
