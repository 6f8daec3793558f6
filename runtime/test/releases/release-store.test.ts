/** How policies come into a store, are tried, and go. */
import { existsSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import { openStore, resolvePolicy } from '../../src/releases/release-store.js';
import { announceRunning } from '../../src/releases/running.js';
import { robot } from '../support/arm-fixture.js';
import { goodRecord } from '../support/good-policy.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';
import { by, events, storesIn } from '../support/small-stores.js';

const folder = t.testdir();
const { bundles, newStore, propose, good } = storesIn(folder);
const [a, b, c] = bundles.map(({ digest }) => digest) as [string, string, string];

t.test('a policy drives from the limited phase on, and is committed with its record', async t => {
  const store = newStore();
  await good(store, 0);
  await propose(store, 1, 'second');
  t.equal(store.current(), a, 'in its shadow the old one drives');
  t.match(store.state().trial, { id: 'second', digest: b, replaces: a, phase: 'shadow', running: false });
  store.enter('limited');
  t.equal(store.current(), b);
  t.equal(resolvePolicy(store.folder), store.releaseFolder(b));
  store.started();
  t.equal(store.state().trial?.running, true);
  store.enter('full');
  t.match(store.state().trial, { phase: 'full', running: true });
  store.commit({ ...goodRecord, ticks: 750 }, { seconds: 20 });
  t.equal(store.state().trial, undefined);
  t.equal(store.current(), b);
  t.equal(store.previous(), a);
  t.equal(store.record(b)?.ticks, 750);
  t.equal(store.record('f'.repeat(64)), undefined);
  t.match(store.history(1), [{ event: 'committed', id: 'second', digest: b, seconds: 20, figures: { ticks: 750 } }]);
});

t.test('a bad one goes back to what it replaced, is remembered, and never comes in again', async t => {
  const store = newStore();
  await good(store, 0);
  await propose(store, 1, 'bad');
  store.enter('limited');
  store.started();
  store.rollback('it missed 40 ticks', 'the judge', { figures: { missedByWork: 40 } });
  t.equal(store.current(), a);
  t.same(store.state().bad, { [b]: 'it missed 40 ticks' });
  t.match(store.history(1), [
    { event: 'rolled-back', words: 'it missed 40 ticks', by: 'the judge', figures: { missedByWork: 40 } },
  ]);
  await t.rejects(store.admit(bundles[1]!, {}), {
    code: 'E_BUNDLE_BAD',
    message: /failed on this robot: it missed 40/,
  });
  t.throws(() => store.propose(b, { id: 'again', skip: {}, by }), { code: 'E_BUNDLE_BAD', hint: /--retry-bad REASON/ });
});

t.test('one that died on trial unseen is refused, too', async t => {
  const store = newStore();
  await good(store, 0);
  await propose(store, 1, 'dies');
  store.enter('limited');
  store.started();
  t.throws(() => store.propose(b, { id: 'again', skip: {}, by }), { code: 'E_BUNDLE_BAD', message: /the run ended/ });
  t.equal(store.current(), a);
});

t.test('a bad one comes in again where somebody says why, and its trial decides anew', async t => {
  const store = newStore();
  await good(store, 0);
  await propose(store, 1, 'bad');
  store.rollback('it missed 40 ticks');
  const retryBad = 'the machine was busy';
  const again = async (id: string) => {
    await store.admit(bundles[1]!, {}, { retryBad });
    t.ok(store.propose(b, { id, skip: { limited: 'it is slow' }, by, retryBad }));
  };
  await again('retried');
  t.match(store.history(1), [
    {
      event: 'proposed',
      id: 'retried',
      by,
      words: 'to be tried again: the machine was busy (it had failed: it missed 40 ticks), without limited: it is slow',
    },
  ]);
  t.match(store.state(), { bad: {}, trial: { digest: b, replaces: a, phase: 'shadow', running: false } });
  t.equal(store.current(), a);
  store.rollback('it missed 50 ticks');
  t.same(store.state().bad, { [b]: 'it missed 50 ticks' });
  await t.rejects(store.admit(bundles[1]!, {}), { code: 'E_BUNDLE_BAD', message: /50 ticks/ });
  await propose(store, 2, 'another bad one');
  store.rollback('it shook');
  await again('retried once more');
  store.enter('limited');
  store.enter('full');
  store.commit(goodRecord);
  t.same(store.state().bad, { [c]: 'it shook' }, 'the others are as bad as they were');
  t.equal(store.current(), b);
});

t.test('where one never failed the reason to try it again says nothing', async t => {
  const store = newStore();
  await store.admit(bundles[0]!, {}, { retryBad: 'in case' });
  store.propose(a, { id: 'first', skip: {}, by, retryBad: 'in case' });
  t.match(store.history(1), [{ words: 'to be tried' }]);
});

t.test('where the first one is bad no policy is left', async t => {
  const store = newStore();
  await propose(store, 0, 'first');
  store.enter('limited');
  store.rollback('it stood still');
  t.equal(store.current(), undefined);
  t.throws(() => resolvePolicy(store.folder), { code: 'E_POLICY_MISSING' });
  t.throws(() => store.operatorRollback('please', by), { code: 'E_ROLLBACK_NONE', hint: /deploy one/ });
});

t.test('a lower sequence than any that was let in is refused, the same one is not', async t => {
  const store = newStore();
  await store.admit(bundles[0]!, {}, { sequence: 5 });
  await store.admit(bundles[0]!, {}, { sequence: 5 });
  await t.rejects(store.admit(bundles[1]!, {}, { sequence: 4 }), {
    code: 'E_BUNDLE_DOWNGRADE',
    message: /has sequence 4; this robot has let in 5 already/,
    hint: /kit keys sign BUNDLE --key NAME --after 5;/,
  });
  t.notOk(existsSync(store.releaseFolder(b)));
  await store.admit(bundles[1]!, {}, { sequence: 6 });
  t.equal(store.state().sequence, 6);
  await store.admit(bundles[2]!, {});
  t.equal(store.state().sequence, 6, 'an unsigned one has none');
});

t.test('one that was refused raises no sequence', async t => {
  const store = newStore();
  const off = join(folder, 'off');
  writeSmallBundle(off, robot, randomPolicy(robot, 5), { golden: 1e-3, controlRateHz: 5 });
  await t.rejects(store.admit(loadBundle(off), {}, { sequence: 9 }), { code: 'E_BUNDLE_GOLDEN' });
  t.equal(store.state().sequence, 0);
  t.same(readdirSync(join(store.folder, 'releases')), []);
});

t.test('an operator goes back to a lower sequence, and forward again', async t => {
  const store = newStore();
  await good(store, 0);
  await good(store, 1);
  t.equal(store.operatorRollback('it looked odd', by), a);
  t.same([store.current(), store.previous()], [a, b]);
  t.same(store.state().bad, {});
  t.match(store.history(1), [{ event: 'rolled-back', digest: b, by, words: /^it looked odd \(back to / }]);
  await store.admit(bundles[0]!, {}, { sequence: 0 });
  t.equal(store.operatorRollback('I was wrong', by), b);
});

t.test('an operator ends a trial, and nobody calls that policy bad', async t => {
  const store = newStore();
  await good(store, 0);
  for (const phase of ['shadow', 'limited', 'full'] as const) {
    await propose(store, 1, `ended-${phase}`);
    if (phase !== 'shadow') store.enter(phase);
    t.equal(store.operatorRollback('stop that', by), a);
    t.equal(store.current(), a);
    t.equal(store.state().trial, undefined);
    t.equal(events(store).at(-1), `rolled-back ended-${phase}`);
  }
  t.same(store.state().bad, {});
});

t.test('an operator is not sent back to a damaged one', async t => {
  const store = newStore();
  await good(store, 0);
  await good(store, 1);
  truncateSync(join(store.releaseFolder(a), 'golden.json'), 3);
  t.throws(() => store.operatorRollback('please', by), { code: 'E_BUNDLE_DIGEST' });
  t.equal(store.current(), b);
});

t.test('what already drives is not proposed, nor what was never let in', async t => {
  const store = newStore();
  await good(store, 0);
  t.equal(store.propose(a, { id: 'again', skip: {}, by }), false);
  t.throws(() => store.propose(c, { id: 'stranger', skip: {}, by }), { code: 'E_POLICY_MISSING' });
  t.equal(store.state().trial, undefined);
});

t.test('a phase that is left out is told with its reason', async t => {
  const store = newStore();
  await store.admit(bundles[0]!, {});
  t.equal(store.propose(a, { id: 'x', skip: { shadow: 'arm in the box', limited: 'demo' }, by }), true);
  t.match(store.history(), [{ words: 'to be tried, without shadow: arm in the box, without limited: demo', by }]);
  t.same(store.state().trial?.skip, { shadow: 'arm in the box', limited: 'demo' });
});

t.test('without a trial there is nothing to enter, to start, to commit or to roll back', async t => {
  const store = newStore();
  await good(store, 0);
  const refused = { code: 'E_NO_TRIAL', message: /no policy is on trial/, hint: /kit deploy history/ };
  t.throws(() => store.enter('limited'), refused);
  t.throws(() => store.started(), refused);
  t.throws(() => store.commit(goodRecord), refused);
  t.throws(() => store.rollback('why'), refused);
  t.doesNotThrow(() => store.paused(), 'a run that ends may find its trial ended');
});

t.test('a loop that is at a trial is left alone by whoever opens the store', async t => {
  const store = newStore();
  await good(store, 0);
  await propose(store, 1, 'live');
  const end = announceRunning(store, () => a);
  store.enter('limited');
  store.started();
  t.equal(openStore(store.folder).current(), b);
  t.match(openStore(store.folder).state().trial, { phase: 'limited', running: true });
  end();
  t.equal(openStore(store.folder).current(), a, 'when it has died its policy goes');
  t.match(store.state(), { trial: undefined, bad: { [b]: /the run ended while it was on trial/ } });
});

t.test('why a loop can’t try it stands in the store until a run begins with it', async t => {
  const store = newStore();
  await good(store, 0);
  await propose(store, 1, 'waits');
  store.wait('another network');
  t.match(openStore(store.folder).state().trial, { phase: 'shadow', waits: 'another network' });
  store.enter('limited');
  t.notOk('waits' in store.state().trial!);
});

t.test('a run that ended in order leaves the trial to the next', async t => {
  const store = newStore();
  await good(store, 0);
  await propose(store, 1, 'long');
  store.enter('limited');
  store.started();
  store.paused();
  const again = openStore(store.folder);
  t.equal(again.current(), b);
  t.match(again.state().trial, { phase: 'limited', running: false });
});

t.test(
  'a rollback that was interrupted is finished by whoever rolls back next, for the first one’s reason',
  async t => {
    const store = newStore();
    await good(store, 0);
    await propose(store, 1, 'second');
    store.enter('full');
    const dying: Disk = {
      ...realDisk,
      link(target, path) {
        if (target.startsWith('releases')) throw new Error('interrupted');
        realDisk.link(target, path);
      },
    };
    const loop = announceRunning(store, () => b);
    t.throws(() => openStore(store.folder, dying).rollback('it shakes', by), /interrupted/);
    t.match(store.state().trial, { phase: 'rollback', reason: 'it shakes' });
    t.throws(() => store.enter('full'), { code: 'E_NO_TRIAL' }, 'it goes nowhere else');
    store.rollback('another reason');
    t.equal(store.current(), a);
    t.match(store.state(), { trial: undefined, bad: { [b]: 'it shakes' } });
    t.throws(() => store.rollback('once more'), { code: 'E_NO_TRIAL' });
    loop();
  },
);
