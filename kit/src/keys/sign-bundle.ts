/** Signing a bundle with a key of one's own, and finding out who has signed one. */
import { join } from 'node:path';
import { bundleFolder } from '@sim2servo/models/bundle/bundle-folder';
import { type Bundle, type BundleExpectation, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { bundleLimits, manifestName, signatureName } from '@sim2servo/models/bundle/manifest';
import { readSignature } from '@sim2servo/models/bundle/minisign';
import { publicKeyLine } from '@sim2servo/models/bundle/minisign-public-key';
import { openSecretKey, type SecretKey } from '@sim2servo/models/bundle/minisign-secret-key';
import { signMinisign } from '@sim2servo/models/bundle/minisign-sign';
import { sequenceComment } from '@sim2servo/models/bundle/sequence';
import { type BundleSignature, readManifest } from '@sim2servo/models/bundle/signed-manifest';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import { utf8Of } from '@sim2servo/models/strict-json';
import type { CommandContext } from '../command-context.js';
import { passwordOf } from './key-password.js';
import { keyNames, readPublicKey, readSecretKeyFile, takeSequence } from './key-ring.js';

/** A secret key that was opened, with its name in the folder. */
export interface OpenedKey {
  readonly name: string;
  readonly key: SecretKey;
}

/**
 * Asks for the password where there is one.
 *
 * @throws KitError E_KEY_*
 */
export async function openKey(name: string, context: CommandContext): Promise<OpenedKey> {
  return { name, key: await openSecretKey(readSecretKeyFile(name), () => passwordOf(name, context)) };
}

export interface SignedBundle extends BundleSignature {
  readonly bundle: string;
  readonly digest: string;
  readonly key: string;
}

/**
 * Signs the manifest of a bundle that is whole, newer than all that was signed with this key before. An old signature is replaced.
 *
 * @param nowMs its sequence, if that is newer
 *
 * @throws KitError E_BUNDLE_*, E_MODEL_*, E_FILE_*, E_JSON_*, E_KEY_SEQUENCE, E_SIGNATURE_WRITE
 */
export function signBundle(folder: string, { name, key }: OpenedKey, nowMs = Date.now()): SignedBundle {
  const { digest } = loadBundle(folder);
  const manifest = bundleFolder(folder).read(manifestName, bundleLimits.manifestBytes)!;
  const path = join(folder, signatureName);
  let signature: Uint8Array;
  try {
    signature = Buffer.from(signMinisign(manifest, key, sequenceComment(takeSequence(name, nowMs))));
    writeDurably(path, signature);
  } catch (error) {
    if (error instanceof KitError) throw error;
    throw new KitError(
      'E_SIGNATURE_WRITE',
      `can't write ${path}: ${messageOf(error)}`,
      'free some space, or copy the bundle to a folder that you may write to',
      'failed',
      { cause: error },
    );
  }
  // Read as a robot will.
  const trustedKeys = [publicKeyLine(key.publicKey)];
  const signed = readManifest(manifest, signature, { trustedKeys }, folder);
  return { bundle: folder, digest, key: name, ...signed.signature! };
}

/** Looked at first: nobody should type a password for what the robot would not take anyhow. */
export async function signFitting(
  folder: string,
  name: string,
  { robot }: BundleExpectation,
  context: CommandContext,
): Promise<SignedBundle> {
  loadBundle(folder, robot === undefined ? {} : { robot });
  return signBundle(folder, await openKey(name, context));
}

/** The signature of a runtime's manifest. A runtime has no sequence, so the same one is signed with the same bytes again. */
export const runtimeSigner =
  ({ key }: OpenedKey) =>
  (manifest: Buffer): string =>
    signMinisign(manifest, key, 'file:runtime.json');

export interface SignedBy {
  readonly keyId: string;
  /** Name of the key among one's own; undefined where it is none of them, and so nothing is verified. */
  readonly name?: string;
}

/**
 * A bundle, verified with the keys that lie in one's folder.
 *
 * @returns who claims to have signed it; undefined where nobody does
 * @throws KitError as {@link loadBundle} does
 */
export function loadWithOwnKeys(folder: string): { readonly bundle: Bundle; readonly signedBy: SignedBy | undefined } {
  const signature = bundleFolder(folder).read(signatureName, bundleLimits.signatureBytes);
  if (signature === undefined) return { bundle: loadBundle(folder), signedBy: undefined };
  const { keyId } = readSignature(utf8Of(signature, `signature ${join(folder, signatureName)}`));
  const name = keyNames().find(name => readPublicKey(name).id === keyId);
  if (name === undefined) return { bundle: loadBundle(folder), signedBy: { keyId } };
  const trustedKeys = [publicKeyLine(readPublicKey(name))];
  return { bundle: loadBundle(folder, { trustedKeys }), signedBy: { keyId, name } };
}
