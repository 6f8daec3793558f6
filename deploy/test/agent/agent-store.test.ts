import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { shippedPolicies } from '@sim2servo/models/robot-folder';
import { emptyRecord } from '@sim2servo/runtime/releases/policy-record';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import { announceRunning } from '@sim2servo/runtime/releases/running';
import t from 'tap';
import { openAgentStore } from '../../src/agent/agent-store.js';

const folder = t.testdir();
const [first, second] = ['so101-reach-50hz', 'so101-reach-100hz'].map(name => loadBundle(join(shippedPolicies, name)));
const record = { ...emptyRecord, ticks: 1000, inferP99Us: 50 };

t.test('where no loop drives a policy is current at once, and the next run tries it', async t => {
  const at = join(folder, 'idle');
  const store = openAgentStore(at);
  t.equal(store.current(), undefined);
  t.ok((await store.admit(first!, {})).goldenMaxError < 1e-5);
  t.ok(store.propose(first!.digest, { id: 'a', skip: {}, by: 'me' }));
  t.equal(store.current(), first!.digest);
  t.match(store.state().trial, { digest: first!.digest, phase: 'limited', skip: { shadow: /no policy drives/ } });
  t.match(store.history(1), [{ event: 'proposed', id: 'a', by: 'me' }]);
  openStore(at).commit(record);
  t.notOk(store.propose(first!.digest, { id: 'b', skip: {}, by: 'me' }), 'it drives already');
});

t.test('where a loop drives the old one stays until the loop has tried the new one', async t => {
  const at = join(folder, 'driving');
  const store = openAgentStore(at);
  await store.admit(first!, {});
  store.propose(first!.digest, { id: 'a', skip: {}, by: 'me' });
  openStore(at).commit(record);
  const end = announceRunning(openStore(at), first!.digest);
  t.match(store.running(), { digest: first!.digest });
  t.same(Object.keys(store.running()!).sort(), ['digest', 'sinceS'], 'what the protocol has, and no more');
  await store.admit(second!, {});
  store.propose(second!.digest, { id: 'b', skip: { limited: 'it is slow' }, by: 'me' });
  t.equal(store.current(), first!.digest);
  t.match(store.state().trial, { phase: 'shadow', replaces: first!.digest, skip: { limited: 'it is slow' } });
  end();
  t.equal(await store.rollback('why not', 'me'), first!.digest);
});

t.test('one deployer at a time', async t => {
  const store = openAgentStore(join(folder, 'locked'));
  let release = () => {};
  const holding = store.locked('Ann', () => new Promise<void>(resolve => (release = resolve)));
  await t.rejects(
    store.locked('Ben', async () => {}),
    { code: 'E_DEPLOY_BUSY', message: /Ann/ },
  );
  release();
  await holding;
  await t.rejects(
    store.locked('Ann', async () => {
      throw new Error('it broke');
    }),
    { message: 'it broke' },
  );
  t.equal(await store.locked('Ben', async () => 'in'), 'in');
});
