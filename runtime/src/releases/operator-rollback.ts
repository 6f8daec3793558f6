/** An operator wants the policy before. Called alone with the state (`StoreFolder.change`), so that no loop begins meanwhile. */
import { randomBytes } from 'node:crypto';
import { type BundleExpectation, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { whyNotExchangeable } from './exchangeable.js';
import { runningNow } from './running.js';
import type { StoreFolder } from './store-folder.js';
import { finishTrial, giveUpTrial } from './trial-ends.js';

/** @see ReleaseStore.operatorRollback */
export function goBack(store: StoreFolder, reason: string, by: string, expected: BundleExpectation): string {
  finishTrial(store);
  const { trial } = store.state();
  const current = store.linked('current');
  const previous = store.linked('previous');
  const from = trial?.digest ?? current;
  const to = trial === undefined ? previous : trial.replaces;
  if (from === undefined || to === undefined || (trial === undefined && to === current))
    throw new KitError(
      'E_ROLLBACK_NONE',
      `${store.folder} has no policy to go back to`,
      'deploy one: kit deploy BUNDLE',
      'usage',
    );
  const next = loadBundle(store.at('releases', to), expected);
  const words = `${reason} (back to ${shortDigest(to)})`;
  if (trial !== undefined) {
    // The loop has what it falls back to; where that has another network, the arm stops.
    giveUpTrial(store, trial, words, { by });
    return to;
  }
  const running = runningNow(store);
  const why = running && whyNotExchangeable(loadBundle(store.at('releases', running.digest)), next);
  if (why !== undefined)
    throw new KitError(
      why.code,
      `${shortDigest(to)}, the policy before, can't take over from the one that drives, and nothing was changed: ${why.message}`,
      'end the run (kit stop), then kit deploy rollback, then start it again',
    );
  store.link('current', to);
  store.link('previous', from);
  store.note({ id: randomBytes(8).toString('hex'), digest: from, event: 'rolled-back', words, by });
  return to;
}
