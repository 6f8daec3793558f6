/** A thread that changes a release store while a loop follows it, as another process would: what it waits for the loop does not wait for. */
import { parentPort, workerData } from 'node:worker_threads';
import { openStore } from '@sim2servo/runtime/releases/release-store';

export type DeployerOrder = { readonly kind: 'back' } | { readonly kind: 'propose'; readonly digest: string };

parentPort!.on('message', (order: DeployerOrder) => {
  const store = openStore(workerData as string);
  if (order.kind === 'back') store.operatorRollback('the other one again', 'ann@desk');
  else store.propose(order.digest, { id: 'the one on trial', skip: {}, by: 'ann@desk' });
});
parentPort!.postMessage('ready');
