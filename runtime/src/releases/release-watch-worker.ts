/** The thread that looks whether another release has become current, and makes it ready to take over. */
import { readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { weightsApart } from '@sim2servo/models/bundle/weights-apart';
import { KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import type { NextPolicy } from './following-policy.js';
import type { ReleaseMessage, ReleaseWatchData } from './release-watch.js';
import { selfTest } from './self-test.js';

const lookMs = 200;

const { store, running, robot, trustedKeys, revokedKeys } = workerData as ReleaseWatchData;
const load = (digest: string) => loadBundle(join(store, 'releases', digest), { robot, trustedKeys, revokedKeys });

function same<T>(what: string, wanted: T, found: T): void {
  if (wanted === found) return;
  throw new KitError(
    'E_FOLLOW_DIFFERS',
    `the new policy has ${what} ${found}, and the one that runs ${wanted}`,
    'end the run, and start it again',
  );
}

const first = load(running);
const { network } = weightsApart(first.model);

/** @throws KitError where it can't be exchanged for the policy that runs, or not be run at all */
async function prepare(digest: string): Promise<NextPolicy> {
  const next = load(digest);
  const { manifest, model } = next;
  same('control rate', first.manifest.controlRateHz, manifest.controlRateHz);
  same('task', first.manifest.task, manifest.task);
  const apart = weightsApart(model);
  if (Buffer.compare(network, apart.network) !== 0)
    throw new KitError(
      'E_POLICY_NETWORK',
      `the new policy ${manifest.name} has another network than the one that runs`,
      'end the run, and start it again',
    );
  await selfTest(next);
  return { digest, name: manifest.name, weights: apart.weights.map(({ data }) => data) };
}

for (let known = running; ; await sleep(lookMs)) {
  // Where the link is gone nobody can be followed: that ends this thread, and its owner says so.
  const digest = basename(readlinkSync(join(store, 'current')));
  if (digest === known) continue;
  known = digest;
  let message: ReleaseMessage;
  try {
    message = { kind: 'ready', ...(await prepare(digest)) };
  } catch (error) {
    message = { kind: 'refused', digest, error: packError(error, 'E_FOLLOW') };
  }
  const moved = message.kind === 'ready' ? message.weights.map(({ buffer }) => buffer as ArrayBuffer) : [];
  parentPort!.postMessage(message, moved);
}
