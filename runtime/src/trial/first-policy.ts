/** Which policy of a release store a run begins with, and whether that one is on trial. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Bundle } from '@sim2servo/models/bundle/load-bundle';
import { KitError } from '@sim2servo/models/error';
import { whyNotExchangeable } from '../releases/exchangeable.js';
import { emptyState, type StoreState, storeStateSchema, type Trial } from '../releases/store-state.js';

/** Whether `dir` is a store, and not itself a bundle. */
export function isReleaseStore(dir: string): boolean {
  return !existsSync(join(dir, 'policy.json')) && existsSync(join(dir, 'releases'));
}

/** Digest of the release that `current` names; undefined where there is none. @throws where the store can't be read */
export function currentRelease(store: string): string | undefined {
  try {
    return basename(readlinkSync(join(store, 'current')));
  } catch (error) {
    // Of a store that is gone as a whole nobody can say what its link named.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && existsSync(store)) return undefined;
    throw error;
  }
}

/**
 * As it lies there: nothing is finished that a loss of power has left half done.
 *
 * @throws KitError E_STORE_STATE, also where the store is gone as a whole
 */
export function readStoreState(store: string): StoreState {
  const path = join(store, 'state.json');
  if (!existsSync(path) && existsSync(store)) return emptyState;
  try {
    return storeStateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new KitError(
      'E_STORE_STATE',
      `${path} can't be read as the state of a release store`,
      'look at it with `kit deploy history`, and deploy anew',
      'failed',
      { cause: error },
    );
  }
}

export interface FirstPolicy {
  readonly digest: string;
  /** It is on trial from the first tick on. */
  readonly trial?: Trial;
  /** What it falls back to between two ticks; absent where there is nothing, or nothing of the same network. */
  readonly fallback?: string;
}

/**
 * The old policy where one can be exchanged for the one on trial later: then that begins in its shadow. Otherwise the one on trial itself, and
 * what speaks against it stops the arm.
 *
 * @throws KitError E_POLICY_MISSING, and what `load` throws
 */
export function firstPolicy(store: string, { trial }: StoreState, load: (digest: string) => Bundle): FirstPolicy {
  const current = currentRelease(store);
  if (trial !== undefined && trial.phase !== 'rollback') {
    const { digest, replaces } = trial;
    const reachable = replaces !== undefined && whyNotExchangeable(load(replaces), load(digest)) === undefined;
    if (trial.phase !== 'shadow' || !reachable) return { digest, trial, ...(reachable && { fallback: replaces }) };
  }
  if (current !== undefined) return { digest: current };
  throw new KitError(
    'E_POLICY_MISSING',
    `the release store ${store} names no policy`,
    `deploy one with \`kit deploy BUNDLE --to ${store}\``,
    'usage',
  );
}
