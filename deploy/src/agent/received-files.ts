/** Which of the files that came one by one are a bundle: by the names of its manifest, which is not parsed before its signature has been verified. */
import { readFileSync } from 'node:fs';
import type { BundleExpectation } from '@sim2servo/models/bundle/load-bundle';
import { manifestName, signatureName } from '@sim2servo/models/bundle/manifest';
import { readManifest } from '@sim2servo/models/bundle/signed-manifest';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import type { Incoming } from './incoming.js';

export interface BundleHead {
  /** Digests of the files that hold `policy.json` and its signature. */
  readonly manifest: string;
  readonly signature?: string | undefined;
}

export interface ReceivedFile {
  readonly sha256: string;
  readonly path: string;
}

/**
 * Nothing in the files is trusted yet but the manifest's signature.
 *
 * @returns where each file of the bundle lies, by its name in it
 * @throws  KitError E_DEPLOY_LACKING, E_BUNDLE_UNSIGNED, E_SIGNATURE_*, E_FILE_*
 */
export function receivedFiles(
  incoming: Incoming,
  { manifest, signature }: BundleHead,
  expected: BundleExpectation,
): Map<string, ReceivedFile> {
  const found = incoming.find();
  const files = new Map<string, ReceivedFile>();
  const take = (named: Readonly<Record<string, string>>) => {
    for (const [name, sha256] of Object.entries(named)) {
      const path = found.get(sha256);
      if (path === undefined)
        throw new KitError(
          'E_DEPLOY_LACKING',
          `${name} (${shortDigest(sha256)}) is not there`,
          'deploy again: what is there already is not sent again',
        );
      files.set(name, { sha256, path });
    }
  };
  take({ [manifestName]: manifest, ...(signature !== undefined && { [signatureName]: signature }) });
  const read = (name: string) => {
    const file = files.get(name);
    return file && readFileSync(file.path);
  };
  take(readManifest(read(manifestName)!, read(signatureName), expected, 'the bundle').manifest.files);
  return files;
}
