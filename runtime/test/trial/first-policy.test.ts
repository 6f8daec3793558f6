import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { openStore } from '../../src/releases/release-store.js';
import type { Trial } from '../../src/releases/store-state.js';
import { firstPolicy } from '../../src/trial/first-policy.js';
import { robot } from '../support/arm-fixture.js';
import { deployGood } from '../support/good-policy.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';

const folder = t.testdir();
const bundle = (name: string) => join(folder, name);
const old = writeSmallBundle(bundle('old'), robot, randomPolicy(robot, 1));
const next = writeSmallBundle(bundle('next'), robot, randomPolicy(robot, 2));
writeSmallBundle(bundle('slow'), robot, randomPolicy(robot, 3), { controlRateHz: 25 });
let stores = 0;

async function first(proposed?: 'next' | 'slow', change: Partial<Trial> = {}, withOld = true) {
  const path = join(folder, `store-${stores++}`);
  if (withOld) await deployGood(bundle('old'), path);
  const store = openStore(path);
  if (proposed !== undefined) {
    const { digest } = await store.admit(loadBundle(bundle(proposed)), {});
    store.propose(digest, { id: 'a trial', skip: {}, by: 'ann@desk' });
    if (change.phase === 'limited' || change.phase === 'full') store.enter(change.phase);
  }
  const { trial } = store.state();
  const named = { current: store.current(), trial: trial && { ...trial, ...change } };
  return firstPolicy(path, named, digest => loadBundle(store.releaseFolder(digest)));
}

t.test(
  'without a trial, what is current; and what is current, too, while another looks on from its shadow',
  async t => {
    t.same(await first(undefined), { digest: old });
    t.same(await first('next'), { digest: old });
    t.same(await first('next', { phase: 'rollback', reason: 'x' }), { digest: old });
  },
);

t.test('what an earlier run has let drive goes on driving, and can fall back', async t => {
  for (const phase of ['limited', 'full'] as const)
    t.match(await first('next', { phase }), { digest: next, trial: { phase }, fallback: old });
});

t.test('what can’t be exchanged for the old one is tried from the first tick, and so is a first policy', async t => {
  const { digest, trial, fallback } = await first('slow');
  t.equal(digest, trial?.digest);
  t.equal(fallback, undefined);
  t.match(await first('next', {}, false), { digest: next, trial: { phase: 'limited' }, fallback: undefined });
});

t.test('one whose old policy is damaged by now is tried from the first tick, and falls back to nothing', async t => {
  const path = join(folder, 'damaged');
  await deployGood(bundle('old'), path);
  const store = openStore(path);
  const { digest } = await store.admit(loadBundle(bundle('next')), {});
  store.propose(digest, { id: 'a trial', skip: {}, by: 'ann@desk' });
  writeFileSync(join(store.releaseFolder(old), 'policy.onnx'), 'x');
  const named = { current: store.current(), trial: store.state().trial };
  const load = (digest: string) => loadBundle(store.releaseFolder(digest));
  t.match(firstPolicy(path, named, load), { digest: next, trial: { phase: 'shadow' }, fallback: undefined });
  const broken = () => {
    throw new Error('a bug');
  };
  t.throws(() => firstPolicy(path, named, digest => (digest === old ? broken() : load(digest))), { message: 'a bug' });
});

t.test('a store that names none is said to, with what to do', async t => {
  await t.rejects(first(undefined, {}, false), { code: 'E_POLICY_MISSING', hint: /kit deploy/ });
});
