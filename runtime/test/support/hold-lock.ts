/** A process that takes a deployer's lock, announces that it drives, says so, and waits for its end. */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/releases/release-store.js';
import { announceRunning } from '../../src/releases/running.js';
import { StoreLock } from '../../src/releases/store-lock.js';

const [, , folder = '', digest = ''] = process.argv;
const store = openStore(folder);
StoreLock.take(store, 'bob@desk');
announceRunning(store, () => digest);
writeSync(1, 'held\n');
setInterval(() => {}, 1000);
