/** Files that came one by one become a bundle's folder again: by the names of its manifest, which is not parsed before its signature has been verified. */

import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleExpectation } from '@sim2servo/models/bundle/load-bundle';
import { readManifest } from '@sim2servo/models/bundle/signed-manifest';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import type { Incoming } from './incoming.js';

export interface DraftParts {
  /** Digests of the files that hold `policy.json` and its signature. */
  readonly manifest: string;
  readonly signature?: string | undefined;
}

export interface BundleDraft {
  readonly folder: string;
  /** Of all its files, as they came. */
  readonly digests: readonly string[];
  readonly remove: () => void;
}

/**
 * Makes the folder of a bundle, to be loaded from there: nothing in it is trusted yet but the manifest's signature.
 *
 * @throws  KitError E_DEPLOY_LACKING, E_BUNDLE_UNSIGNED, E_SIGNATURE_*, E_FILE_*
 */
export function assembleDraft(
  incoming: Incoming,
  { manifest, signature }: DraftParts,
  expected: BundleExpectation,
): BundleDraft {
  const heads = incoming.find(signature === undefined ? [manifest] : [manifest, signature]);
  const path = (digest: string, name: string, among: ReadonlyMap<string, string>) => {
    const found = among.get(digest);
    if (found !== undefined) return found;
    throw new KitError(
      'E_DEPLOY_LACKING',
      `${name} (${shortDigest(digest)}) is not there`,
      'deploy again: what is there already is not sent again',
    );
  };
  const parts = [['policy.json', path(manifest, 'policy.json', heads)]] as [string, string][];
  if (signature !== undefined) parts.push(['policy.json.minisig', path(signature, 'its signature', heads)]);
  const read = (part: [string, string] | undefined) => part && readFileSync(part[1]);
  const { files } = readManifest(read(parts[0])!, read(parts[1]), expected, 'the bundle').manifest;
  const bodies = incoming.find(Object.values(files));
  for (const [name, digest] of Object.entries(files)) parts.push([name, path(digest, name, bodies)]);
  const folder = incoming.makeDraft();
  for (const [name, from] of parts) copyFileSync(from, join(folder, name));
  const digests = [manifest, ...(signature === undefined ? [] : [signature]), ...Object.values(files)];
  return { folder, digests, remove: () => incoming.removeDraft() };
}
