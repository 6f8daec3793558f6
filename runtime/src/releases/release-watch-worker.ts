/** The thread that watches a release store. */
import { realDisk } from './disk.js';
import { watchStore } from './watch-store.js';

await watchStore(realDisk);
