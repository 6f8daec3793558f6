/**
 * Tells of policies that `kit deploy` makes current in a release store while a run goes on. A thread of its own reads, verifies and tests
 * them; what arrives here is ready to take over.
 */
import { Worker } from 'node:worker_threads';
import { KitError, messageOf } from '@sim2servo/models/error';
import { type PackedError, unpackError } from '@sim2servo/models/packed-error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { NextPolicy } from './following-policy.js';

export interface ReleaseWatchData {
  readonly store: string;
  /** Name of the release that runs: its digest. */
  readonly running: string;
  readonly robot: Pick<LoadedRobot, 'spec' | 'specSha256'>;
  readonly trustedKeys: readonly string[];
  readonly revokedKeys: readonly string[];
}

export type ReleaseMessage =
  | ({ readonly kind: 'ready' } & NextPolicy)
  | { readonly kind: 'refused'; readonly digest: string; readonly error: PackedError };

export interface ReleaseHandlers {
  ready(next: NextPolicy): void;
  /** One can't take over, and why; the old one goes on. */
  refused(digest: string, error: KitError): void;
}

/** @returns what ends it */
export function watchReleases(data: ReleaseWatchData, handlers: ReleaseHandlers): () => Promise<unknown> {
  const worker = new Worker(new URL('./release-watch-worker.js', import.meta.url), { workerData: data, execArgv: [] });
  worker.on('message', (message: ReleaseMessage) => {
    if (message.kind === 'ready') handlers.ready(message);
    else handlers.refused(message.digest, unpackError(message.error));
  });
  worker.on('error', error =>
    handlers.refused(
      data.running,
      new KitError(
        'E_FOLLOW',
        `nobody looks for new policies any more: ${messageOf(error)}`,
        'end the run, and start it again',
        'bug',
      ),
    ),
  );
  return () => worker.terminate();
}
