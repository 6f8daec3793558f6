/** Policies that are let in quickly however loaded the machine is, and stores for them. */
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { openStore, type ReleaseStore } from '../../src/releases/release-store.js';
import { robot } from './arm-fixture.js';
import { goodRecord } from './good-policy.js';
import { randomPolicy, writeSmallBundle } from './small-bundle.js';

export const by = 'ann@desk';
export const events = (store: ReleaseStore) => store.history().map(({ event, id }) => `${event} ${id}`);

/** Four policies, and stores, in `folder`. */
export function storesIn(folder: string) {
  const paths = [1, 2, 3, 4].map(seed => join(folder, `bundle-${seed}`));
  for (const [i, path] of paths.entries())
    writeSmallBundle(path, robot, randomPolicy(robot, i + 1), { controlRateHz: 5 });
  const bundles = paths.map(path => loadBundle(path));
  let stores = 0;
  const newStore = () => openStore(join(folder, `store-${stores++}`));

  async function propose(store: ReleaseStore, i: number, id: string): Promise<void> {
    await store.admit(bundles[i]!, {});
    store.propose(bundles[i]!.digest, { id, skip: {}, by });
  }

  async function good(store: ReleaseStore, i: number): Promise<void> {
    await propose(store, i, `good-${i}`);
    store.enter('limited');
    store.started();
    store.enter('full');
    store.commit(goodRecord);
  }

  return { paths, bundles, newStore, propose, good };
}
