/**
 * A process that deploys one new policy after another, each to another end, until it is killed; by itself before or after one of its operations
 * on the disk, if that is wanted.
 */
import { rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { deployToFolder } from '../../src/releases/deploy-to-folder.js';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import { openStore } from '../../src/releases/release-store.js';
import { announceRunning } from '../../src/releases/running.js';
import { robot } from './arm-fixture.js';
import { goodRecord } from './good-policy.js';
import { randomPolicy, writeSmallBundle } from './small-bundle.js';

const [, , scratch = '', firstSeed = '0', operation = 'Infinity', when = 'before'] = process.argv;
let left = Number(operation);

function kill(): void {
  process.kill(process.pid, 'SIGKILL');
}

const disk = new Proxy(realDisk, {
  get: (real, name: keyof Disk) => (first: string, second: never) => {
    left--;
    if (left === 0 && when === 'before') kill();
    real[name](first, second);
    if (left === 0 && when === 'after') kill();
  },
});

const folder = join(scratch, 'store');
const bundle = join(scratch, 'bundle');
writeSync(1, 'begins\n');
for (let seed = Number(firstSeed); ; seed++) {
  rmSync(bundle, { recursive: true, force: true });
  writeSmallBundle(bundle, robot, randomPolicy(robot, seed), { controlRateHz: 5 });
  const { digest } = await deployToFolder(bundle, folder, {}, disk);
  const store = openStore(folder, disk);
  const ended = announceRunning(store, () => digest);
  store.started();
  if (seed % 3 === 0) store.rollback('as it happens', 'the judge');
  else {
    store.enter('full');
    store.commit(goodRecord);
    if (seed % 3 === 1 && store.previous() !== undefined) store.operatorRollback('as it happens', 'ann');
  }
  ended();
}
