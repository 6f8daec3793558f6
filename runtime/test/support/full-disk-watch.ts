/** The thread that watches a release store, on a disk that is full while a file `<store>.full` lies there. */
import { existsSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import type { ReleaseWatchData } from '../../src/releases/release-messages.js';
import { watchStore } from '../../src/releases/watch-store.js';

/** What takes no space goes on: what lies there can be synced, and removed. */
const spaceless: readonly (keyof Disk)[] = ['sync', 'remove'];
const mark = `${(workerData as ReleaseWatchData).store}.full`;

await watchStore(
  new Proxy(realDisk, {
    get: (real, name: keyof Disk) => (first: string, second: never) => {
      if (!spaceless.includes(name) && existsSync(mark))
        throw Object.assign(new Error(`ENOSPC: no space left on device, ${name} '${first}'`), {
          code: 'ENOSPC',
          syscall: name,
        });
      real[name](first, second);
    },
  }),
);
