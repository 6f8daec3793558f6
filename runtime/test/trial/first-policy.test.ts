import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import type { Trial } from '../../src/releases/store-state.js';
import { currentRelease, firstPolicy, isReleaseStore, readStoreState } from '../../src/trial/first-policy.js';
import { robot } from '../support/arm-fixture.js';
import { admit, FolderStore, propose } from '../support/folder-store.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';

const folder = t.testdir();
const bundle = (name: string) => join(folder, name);
const old = writeSmallBundle(bundle('old'), robot, randomPolicy(robot, 1));
const next = writeSmallBundle(bundle('next'), robot, randomPolicy(robot, 2));
writeSmallBundle(bundle('slow'), robot, randomPolicy(robot, 3), { controlRateHz: 25 });
let stores = 0;

function first(proposed: string | undefined, change: Partial<Trial> = {}, withOld = true) {
  const store = join(folder, `store-${stores++}`);
  mkdirSync(join(store, 'releases'), { recursive: true });
  if (withOld) new FolderStore(store).link('current', admit(store, bundle('old')));
  if (proposed !== undefined) propose(store, bundle(proposed), change);
  return firstPolicy(store, readStoreState(store), digest => loadBundle(join(store, 'releases', digest)));
}

t.test(
  'without a trial, what is current; and what is current, too, while another looks on from its shadow',
  async t => {
    t.same(first(undefined), { digest: old });
    t.same(first('next'), { digest: old });
    t.same(first('next', { phase: 'rollback', reason: 'x' }), { digest: old });
  },
);

t.test('what an earlier run has let drive goes on driving, and can fall back', async t => {
  for (const phase of ['limited', 'full'] as const)
    t.match(first('next', { phase }), { digest: next, trial: { phase }, fallback: old });
});

t.test('what can’t be exchanged for the old one is tried from the first tick, and so is a first policy', async t => {
  const { digest, trial, fallback } = first('slow');
  t.equal(digest, trial?.digest);
  t.equal(fallback, undefined);
  t.match(first('next', {}, false), { digest: next, trial: { phase: 'shadow' }, fallback: undefined });
});

t.test('a store that names none is said to, with what to do', async t => {
  t.throws(() => first(undefined, {}, false), { code: 'E_POLICY_MISSING', hint: /kit deploy/ });
});

t.test('a store is told from a bundle, and one that is gone from one without a policy', async t => {
  const store = join(folder, 'told');
  t.notOk(isReleaseStore(bundle('old')));
  t.notOk(isReleaseStore(store));
  t.throws(() => currentRelease(store), { code: 'ENOENT' });
  t.throws(() => readStoreState(store), { code: 'E_STORE_STATE' });
  mkdirSync(join(store, 'releases'), { recursive: true });
  t.ok(isReleaseStore(store));
  t.equal(currentRelease(store), undefined);
  t.match(readStoreState(store), { sequence: 0, bad: {} });
  writeFileSync(join(store, 'state.json'), '{"format":');
  t.throws(() => readStoreState(store), { code: 'E_STORE_STATE', message: /state\.json/ });
});
