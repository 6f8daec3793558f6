import { join } from 'node:path';
import t from 'tap';
import { openStore } from '../../src/releases/release-store.js';
import { robot } from '../support/arm-fixture.js';
import { deployGood } from '../support/good-policy.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';

const folder = t.testdir();
const by = 'ann@desk';
const bundle = (name: string) => join(folder, name);
const fast = writeSmallBundle(bundle('fast'), robot, randomPolicy(robot, 1));
const fastToo = writeSmallBundle(bundle('fast-too'), robot, randomPolicy(robot, 2));
const slow = writeSmallBundle(bundle('slow'), robot, randomPolicy(robot, 3), { controlRateHz: 25 });
let stores = 0;

async function storeWith(...names: readonly string[]) {
  const path = join(folder, `store-${stores++}`);
  for (const name of names) await deployGood(bundle(name), path);
  return openStore(path);
}

t.test('under a loop that can’t take it over nobody goes back, and the good one is not given up', async t => {
  const store = await storeWith('slow', 'fast');
  const before = [store.history(), store.current(), store.previous()];
  const end = store.drive(({ current }) => current!);
  t.throws(() => store.operatorRollback('it shakes', by), {
    code: 'E_FOLLOW_DIFFERS',
    message: /nothing was changed: .*control rate 25, and the one that runs 50/,
    hint: /kit stop/,
  });
  t.same([store.history(), store.current(), store.previous()], before);
  end();
  t.equal(store.operatorRollback('it shakes', by), slow);
});

t.test('under a loop that can, and to what it drives already, one goes', async t => {
  const store = await storeWith('fast', 'fast-too', 'slow');
  const end = store.drive(() => fastToo);
  t.equal(store.operatorRollback('it shakes', by), fastToo, 'it drives already');
  t.equal(store.current(), fastToo);
  end();
  const both = await storeWith('fast', 'fast-too');
  const endToo = both.drive(({ current }) => current!);
  t.equal(both.operatorRollback('it shakes', by), fast);
  endToo();
});

t.test('nobody goes back to what the robot does not take any more, also from a trial', async t => {
  const trusted = { trustedKeys: ['RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3'] };
  const store = await storeWith('fast', 'fast-too');
  t.throws(() => store.operatorRollback('it shakes', by, trusted), { code: 'E_BUNDLE_UNSIGNED' });
  t.same([store.current(), store.previous()], [fastToo, fast]);
  store.propose(fast, { id: 'x', skip: {}, by });
  t.throws(() => store.operatorRollback('it shakes', by, trusted), { code: 'E_BUNDLE_UNSIGNED' });
  t.match(store.state().trial, { id: 'x' });
});
