/** What the watching thread does, on a disk that a test may let fail. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { packError } from '@sim2servo/models/packed-error';
import type { Disk } from './disk.js';
import { beatMs } from './heartbeat.js';
import type { ReleaseMessage, ReleaseWatchData, WatchOrder } from './release-messages.js';
import { StoreWatcher } from './store-watcher.js';

/** Between two looks at the store, and at what the loop did; less while a policy is on trial. */
const lookMs = 200;
const trialMs = 50;

/** Until the run is over, or the store is gone: that ends the thread with an error, and its owner says so. */
export async function watchStore(disk: Disk): Promise<void> {
  const port = parentPort!;
  const post = (message: ReleaseMessage, moved: ArrayBuffer[] = []) => port.postMessage(message, moved);
  let watcher: StoreWatcher;
  try {
    watcher = new StoreWatcher(workerData as ReleaseWatchData, disk, post);
    post({ kind: 'opened', ...watcher.open() });
  } catch (error) {
    post({ kind: 'unopened', error: packError(error, 'E_FOLLOW') });
    return;
  }
  try {
    await watch(watcher);
  } catch (error) {
    // A loop in virtual time waits for nobody then.
    watcher.fail();
    throw error;
  }
  post({ kind: 'closed' });
}

async function watch(watcher: StoreWatcher): Promise<void> {
  let going = false;
  let lookAt = 0;
  let beatAt = 0;
  for (;;) {
    if (performance.now() >= beatAt) {
      watcher.beat();
      beatAt = performance.now() + beatMs;
    }
    // Asked before the ring is emptied: what was pushed before the end is still taken.
    const order = (receiveMessageOnPort(parentPort!) as { readonly message: WatchOrder } | undefined)?.message;
    await watcher.drain();
    if (order?.kind === 'go') going = true;
    if (order?.kind === 'end') return watcher.end(order.stopped);
    if (going && performance.now() >= lookAt) {
      await watcher.look();
      lookAt = performance.now() + lookMs;
    }
    watcher.nap(watcher.trying || !going ? trialMs : lookMs);
  }
}
