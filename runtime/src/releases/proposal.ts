/** How an admitted policy comes to be on trial. Called alone with the state (`StoreFolder.change`), so that no loop begins meanwhile. */
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { runningNow } from './running.js';
import type { StoreFolder } from './store-folder.js';
import { refuseBad, type Trial } from './store-state.js';
import { finishTrial, giveUpTrial } from './trial-ends.js';

export interface Proposal extends Pick<Trial, 'id' | 'skip'> {
  /** Who asks, for the history. */
  readonly by: string;
  /** Why somebody wants a policy tried again that failed here: it is known to be bad no more, until it fails again. */
  readonly retryBad?: string | undefined;
}

/** @see ReleaseStore.propose */
export function proposeTrial(store: StoreFolder, digest: string, { id, skip, by, retryBad }: Proposal): boolean {
  finishTrial(store);
  const failed = refuseBad(store.state(), digest, retryBad);
  const driven = runningNow(store) !== undefined;
  const { trial: waiting } = store.state();
  if (waiting !== undefined && waiting.waits === undefined && driven)
    throw new KitError(
      'E_DEPLOY_BUSY',
      `policy ${shortDigest(waiting.digest)} is on trial here just now (${waiting.phase})`,
      'wait for its end, or end it by kit deploy rollback',
    );
  const replaces = waiting === undefined ? store.linked('current') : waiting.replaces;
  const givenUp =
    waiting?.digest === digest
      ? 'deployed again: it is tried from the beginning'
      : `given up for ${shortDigest(digest)}`;
  if (replaces === digest) {
    if (waiting !== undefined) giveUpTrial(store, waiting, givenUp, { by });
    return false;
  }
  // The first policy has nothing to look on at, so it is current at once, unless a loop drives that has yet to take it up. It takes the place of
  // one that waits in one step: whoever reads the store always finds a policy.
  const phase = replaces === undefined && !driven ? 'limited' : 'shadow';
  if (waiting !== undefined && phase === 'shadow') store.link('current', replaces);
  const again = failed === undefined ? '' : ` again: ${retryBad} (it had failed: ${failed})`;
  const unseen = phase === 'limited' && { shadow: 'there is none before it' };
  const left = Object.entries({ ...unseen, ...skip }).map(([what, reason]) => `, without ${what}: ${reason}`);
  const ended = waiting && {
    id: waiting.id,
    digest: waiting.digest,
    event: 'rolled-back' as const,
    words: givenUp,
    by,
  };
  store.note(...(ended === undefined ? [] : [ended]), {
    id,
    digest,
    event: 'proposed',
    words: `to be tried${again}${left.join('')}`,
    by,
  });
  const trial: Trial = { id, digest, ...(replaces && { replaces }), phase, running: false, skip };
  const { bad, ...state } = store.state();
  const { [digest]: _, ...stillBad } = bad;
  store.write({ ...state, bad: stillBad, trial });
  if (phase === 'limited') store.link('current', digest);
  return true;
}
