/** A whole deployment into a store on this machine. */
import { randomBytes } from 'node:crypto';
import { type BundleExpectation, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { type Disk, realDisk } from './disk.js';
import { operator } from './operator.js';
import { type Admitted, openStore, resolvePolicy } from './release-store.js';
import { StoreLock } from './store-lock.js';

export interface Deployment extends Admitted {
  /** Digest of what drives again where this one fails; undefined where there is none. */
  readonly previous: string | undefined;
  readonly pruned: readonly string[];
}

/**
 * Verifies a bundle, copies it into the store at `targetDir`, tests it there, and puts it on trial: the loop that follows the store tries it from
 * its shadow on, or the next one that does. The first policy of a store is current at once.
 *
 * @throws KitError E_BUNDLE_*, E_MODEL_*, E_SIGNATURE_*, E_SELFTEST_LATENCY, E_DEPLOY_TARGET, E_DEPLOY_BUSY; the store is as it was then
 */
export async function deployToFolder(
  bundleDir: string,
  targetDir: string,
  expected: BundleExpectation = {},
  disk: Disk = realDisk,
): Promise<Deployment> {
  const bundle = loadBundle(resolvePolicy(bundleDir), expected);
  const store = openStore(targetDir, disk);
  const by = operator();
  const lock = StoreLock.take(store, by);
  try {
    const admitted = await store.admit(bundle, expected, { sequence: bundle.signature?.sequence });
    const id = randomBytes(8).toString('hex');
    store.propose(bundle.digest, { id, by, skip: {} });
    const pruned = store.prune();
    const { trial } = store.state();
    return { ...admitted, previous: trial === undefined ? store.previous() : trial.replaces, pruned };
  } finally {
    lock.release();
  }
}
