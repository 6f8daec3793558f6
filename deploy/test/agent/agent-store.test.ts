import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { expectationOf } from '@sim2servo/models/bundle/signed-manifest';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { openAgentStore } from '../../src/agent/agent-store.js';

const folder = t.testdir();
const [first, second] = ['so101-reach-50hz', 'so101-reach-100hz'].map(name => loadBundle(join(shippedPolicies, name)));
const entry = (words: string) => ({
  at: new Date(0).toISOString(),
  id: 'a',
  digest: first!.digest,
  event: 'verified' as const,
  words,
  seconds: 0,
});

t.test('what a robot asks of a policy is in its folder', async t => {
  const robot = loadRobot('so101');
  t.equal(loadBundle(first!.folder, expectationOf(robot)).digest, first!.digest);
  t.throws(() => loadBundle(first!.folder, expectationOf(loadRobot('desk2'))), { code: 'E_BUNDLE_ROBOT' });
});

t.test('a store lets policies in, and goes back', async t => {
  const store = openAgentStore(join(folder, 'store'));
  t.equal(store.current(), undefined);
  t.same(store.history(5), []);
  const expected = expectationOf(loadRobot('so101'));
  for (const bundle of [first!, second!]) {
    t.ok((await store.admit(bundle, expected)).goldenMaxError < 1e-5);
    store.propose(bundle.digest, { id: 'a', skip: {}, by: 'me' });
    t.equal(store.current(), bundle.digest);
  }
  t.equal(store.previous(), first!.digest);
  t.equal(await store.rollback('why not', 'me'), first!.digest);
  t.equal(store.current(), first!.digest);
  for (const words of ['one', 'two', 'three']) store.note(entry(words));
  t.same(
    store.history(2).map(({ words }) => words),
    ['two', 'three'],
  );
});

t.test('one deployer at a time, and a dead one stands in nobody’s way', async t => {
  const store = openAgentStore(join(folder, 'locked'));
  let release = () => {};
  const first = store.locked('Ann', () => new Promise<void>(resolve => (release = resolve)));
  await t.rejects(
    store.locked('Ben', async () => {}),
    { code: 'E_DEPLOY_BUSY', message: /Ann/ },
  );
  release();
  await first;
  writeFileSync(join(folder, 'locked', 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, by: 'a dead one' }));
  t.equal(await store.locked('Ben', async () => 'in'), 'in');
});
