/** Which policy of a release store a run begins with, and whether that one is on trial. */
import type { Bundle } from '@sim2servo/models/bundle/load-bundle';
import { KitError } from '@sim2servo/models/error';
import { whyNotExchangeable } from '../releases/exchangeable.js';
import type { Named, Trial } from '../releases/store-state.js';

export interface FirstPolicy {
  readonly digest: string;
  /** It is on trial from the first tick on. */
  readonly trial?: Trial;
  /** What it falls back to between two ticks; absent where there is nothing, or nothing of the same network. */
  readonly fallback?: string;
}

/** One that is damaged by now, or whose key was revoked, is nothing to look on at or to fall back to. */
function isExchangeable(load: (digest: string) => Bundle, old: string, next: string): boolean {
  const tried = load(next);
  try {
    return whyNotExchangeable(load(old), tried) === undefined;
  } catch (error) {
    if (error instanceof KitError) return false;
    throw error;
  }
}

/**
 * The old policy where one can be exchanged for the one on trial later: then that begins in its shadow. Otherwise the one on trial itself, and
 * what speaks against it stops the arm.
 *
 * @throws KitError E_POLICY_MISSING, and what `load` throws
 */
export function firstPolicy(store: string, { current, trial }: Named, load: (digest: string) => Bundle): FirstPolicy {
  if (trial !== undefined && trial.phase !== 'rollback') {
    const { digest, replaces } = trial;
    const reachable = replaces !== undefined && isExchangeable(load, replaces, digest);
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
