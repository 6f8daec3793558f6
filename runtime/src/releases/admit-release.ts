/** How a policy gets into `releases/<digest>`, whole and tested, and how it goes from there: by renames, so that no half one ever has that name. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, type BundleExpectation, contentsOf, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { bundleLimits, manifestName, signatureName } from '@sim2servo/models/bundle/manifest';
import { readManifest } from '@sim2servo/models/bundle/signed-manifest';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import type { Disk } from './disk.js';
import { type SelfTest, selfTest } from './self-test.js';

/** A release on its way in, and one on its way out; what is left of them goes at the next opening. A draft's name never comes again. */
const incomingPrefix = '.incoming-';
const draftOf = (releases: string, digest: string) =>
  join(releases, `${incomingPrefix}${digest}-${randomBytes(4).toString('hex')}`);
const outgoing = (releases: string, digest: string) => join(releases, `.outgoing-${digest}`);

/**
 * Copies a bundle aside, tests the copy, and renames it into place. What lies there already stays if it is good, but for its signature, and is
 * replaced if it is not.
 *
 * @throws KitError E_BUNDLE_*, E_MODEL_*, E_SIGNATURE_*, E_SELFTEST_LATENCY; or what the disk throws
 */
export async function admitRelease(
  disk: Disk,
  releases: string,
  bundle: Bundle,
  expected: BundleExpectation,
): Promise<SelfTest> {
  const release = join(releases, bundle.digest);
  if (existsSync(release)) {
    const found = loadWhole(release, expected);
    if (found !== undefined) {
      // Who put it there may have been killed before it was synced.
      disk.sync(releases);
      signAnew(disk, releases, found, bundle, expected);
      return selfTest(found);
    }
  }
  const draft = draftOf(releases, bundle.digest);
  disk.makeFolder(draft);
  try {
    // What is another by now is found out when the copy is loaded.
    for (const [name, bytes] of contentsOf(bundle)) {
      const copy = join(draft, name);
      disk.write(copy, bytes);
      disk.sync(copy);
    }
    disk.sync(draft);
    const copied = loadBundle(draft, expected);
    if (copied.digest !== bundle.digest)
      throw new KitError(
        'E_BUNDLE_DIGEST',
        `${bundle.folder} became policy ${shortDigest(copied.digest)} while it was copied`,
        'deploy again, once nobody changes it any more',
      );
    const tested = await selfTest(copied);
    const damaged = outgoing(releases, bundle.digest);
    disk.remove(damaged);
    if (existsSync(release)) disk.rename(release, damaged);
    disk.rename(draft, release);
    disk.sync(releases);
    disk.remove(damaged);
    return tested;
  } catch (error) {
    try {
      disk.remove(draft);
    } catch {
      // A disk that takes nothing keeps the draft until the next opening; why nothing went in is what is told.
    }
    throw error;
  }
}

/** Another signature of the same policy, which counts here as well: the key of the one that is there may be revoked some day. */
function signAnew(disk: Disk, releases: string, found: Bundle, { parts }: Bundle, expected: BundleExpectation): void {
  const read = (from: Bundle['parts']) => from.read(signatureName, bundleLimits.signatureBytes);
  const [signature, there] = [read(parts), read(found.parts)];
  if (signature === undefined || (there !== undefined && Buffer.compare(signature, there) === 0)) return;
  // As it is now: it may be another than the one that was verified.
  readManifest(found.parts.read(manifestName, bundleLimits.manifestBytes)!, signature, expected, found.folder);
  const draft = draftOf(releases, found.digest);
  disk.write(draft, signature);
  disk.sync(draft);
  disk.rename(draft, join(found.folder, signatureName));
  disk.sync(found.folder);
}

/** The release, or undefined where it is damaged. */
function loadWhole(release: string, expected: BundleExpectation): Bundle | undefined {
  try {
    return loadBundle(release, expected);
  } catch (error) {
    if (error instanceof KitError) return undefined;
    throw error;
  }
}

/** Without the sync its files could be gone while it still has its name. */
export function removeRelease(disk: Disk, releases: string, digest: string): void {
  const gone = outgoing(releases, digest);
  disk.remove(gone);
  disk.rename(join(releases, digest), gone);
  disk.sync(releases);
  disk.remove(gone);
}
