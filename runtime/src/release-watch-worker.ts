/** The thread that looks whether another release has become current, and makes it ready to take over. */
import { readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type Bundle, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { weightsApart } from '@sim2servo/models/bundle/weights-apart';
import { KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import type { ReleaseMessage, ReleaseWatchData } from './release-watch.js';
import { selfTest } from './self-test.js';

const lookMs = 200;

const { store, running, robot, trustedKeys } = workerData as ReleaseWatchData;
const load = (digest: string) => loadBundle(join(store, 'releases', digest), { robot, trustedKeys });

function same<T>(what: string, wanted: T, found: T): void {
  if (wanted === found) return;
  throw new KitError(
    'E_FOLLOW_DIFFERS',
    `the new policy has ${what} ${found}, and the one that runs ${wanted}`,
    'end the run, and start it again',
  );
}

/** Whether `next` can be exchanged for the policy that runs, not only run on this robot. */
function checkExchange(first: Bundle, next: Bundle): void {
  same('control rate', first.manifest.controlRateHz, next.manifest.controlRateHz);
  same('task', first.manifest.task, next.manifest.task);
  if (Buffer.compare(weightsApart(first.model).network, weightsApart(next.model).network) === 0) return;
  throw new KitError(
    'E_POLICY_NETWORK',
    `the new policy ${next.manifest.name} has another network than the one that runs`,
    'end the run, and start it again',
  );
}

const first = load(running);
for (let known = running; ; await sleep(lookMs)) {
  let digest = known;
  try {
    digest = basename(readlinkSync(join(store, 'current')));
    if (digest === known) continue;
    known = digest;
    const next = load(digest);
    checkExchange(first, next);
    await selfTest(next);
    const weights = weightsApart(next.model).weights.map(({ data }) => data);
    const message: ReleaseMessage = { kind: 'ready', digest, name: next.manifest.name, weights };
    parentPort!.postMessage(
      message,
      weights.map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    const message: ReleaseMessage = { kind: 'refused', digest, error: packError(error, 'E_FOLLOW') };
    parentPort!.postMessage(message);
    if (digest === known) break;
  }
}
