/** Killed while a policy is let in, and then the power fails: what the killed one had not synced may be gone though the next one saw it. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import type { Disk } from '../../src/releases/disk.js';
import { openStore } from '../../src/releases/release-store.js';
import { writeBundles } from '../support/deployment-courses.js';
import { LostPower } from '../support/lost-power.js';
import { quickFolder } from '../support/quick-folder.js';
import { RecordingDisk, unsyncedDisk } from '../support/recording-disk.js';
import { deployingHere, Starts } from '../support/store-after-restart.js';

const folder = quickFolder(t);
const [next = '', path = ''] = writeBundles(folder, 2);
const bundle = loadBundle(path);

/** Admits and proposes; killed after so many operations: nothing that it would still do happens. */
async function deploy(store: string, disk: Disk, operations: number): Promise<void> {
  let left = operations;
  const mortal = new Proxy(disk, {
    get: (real, name: keyof Disk) => (first: string, second: never) => {
      if (left-- <= 0) throw new Error('killed');
      real[name](first, second);
    },
  });
  try {
    const opened = openStore(store, mortal);
    await opened.admit(bundle, {}, { sequence: 3 });
    opened.propose(bundle.digest, { id: 'x', skip: {}, by: 'ann' });
  } catch (error) {
    if (left > 0 || !(error instanceof Error) || error.message !== 'killed') throw error;
  }
}

t.test('whatever a killed process left unsynced, the next one does not build on it', async t => {
  const starts = new Starts(join(folder, 'scratch'), deployingHere(next));
  const problems: string[] = [];
  for (let killedAfter = 12; killedAfter < 36; killedAfter++) {
    const root = join(folder, `killed-${killedAfter}`);
    const store = join(root, 'store');
    mkdirSync(root);
    const disk = new RecordingDisk(root, unsyncedDisk);
    await deploy(store, disk, killedAfter);
    // Its lock is as good as gone: its owner is dead.
    for (const lock of ['lock', 'state.lock']) disk.remove(join(store, lock));
    await deploy(store, disk, Number.POSITIVE_INFINITY);
    const lost = LostPower.after(folderOfNothing());
    for (const [i, operation] of disk.operations.entries()) {
      lost.do(operation);
      if (i < killedAfter) continue;
      for (const found of lost.found()) {
        const start = await starts.with(found);
        if ('problem' in start) problems.push(`killed after ${killedAfter}, lost after ${i + 1}: ${start.problem}`);
      }
    }
  }
  t.same(problems.slice(0, 5), []);
  t.ok(starts.counts.disks > 100, `${starts.counts.disks} different disks`);
});

function folderOfNothing(): string {
  const nothing = join(folder, 'nothing');
  rmSync(nothing, { recursive: true, force: true });
  mkdirSync(nothing);
  return nothing;
}
