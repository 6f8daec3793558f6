/** The thread that watches a release store; before its first change of it somebody has proposed the policy that `<store>.overtaken` names. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { realDisk } from '../../src/releases/disk.js';
import type { ReleaseWatchData } from '../../src/releases/release-messages.js';
import { openStore } from '../../src/releases/release-store.js';
import { watchStore } from '../../src/releases/watch-store.js';

const { store } = workerData as ReleaseWatchData;
const named = `${store}.overtaken`;

await watchStore({
  ...realDisk,
  link(target, path) {
    if (path.endsWith('state.lock') && existsSync(named)) {
      const digest = readFileSync(named, 'utf8');
      rmSync(named);
      openStore(store).propose(digest, { id: 'overtaking', by: 'ann@desk', skip: {} });
    }
    realDisk.link(target, path);
  },
});
