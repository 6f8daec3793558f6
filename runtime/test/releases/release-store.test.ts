import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import { ownedName } from '../../src/releases/owner.js';
import { isReleaseStore, openStore, type ReleaseStore, resolvePolicy } from '../../src/releases/release-store.js';
import { announceRunning } from '../../src/releases/running.js';
import { robot } from '../support/arm-fixture.js';
import { entry } from '../support/deployment-courses.js';
import { goodRecord } from '../support/good-policy.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';

const folder = t.testdir();
const paths = [1, 2, 3, 4].map(seed => join(folder, `bundle-${seed}`));
for (const [i, path] of paths.entries())
  writeSmallBundle(path, robot, randomPolicy(robot, i + 1), { controlRateHz: 5 });
const bundles = paths.map(path => loadBundle(path));
const [a, b, c] = bundles.map(({ digest }) => digest) as [string, string, string];
let stores = 0;
const newStore = () => openStore(join(folder, `store-${stores++}`));
const by = 'ann@desk';
const events = (store: ReleaseStore) => store.history().map(({ event, id }) => `${event} ${id}`);

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

t.test('two who make a store at once both have it', t => {
  const at = join(t.testdir(), 'above', 'store');
  /** Another one is always a moment faster. */
  const late: Disk = {
    ...realDisk,
    makeFolder(path) {
      mkdirSync(path);
      realDisk.makeFolder(path);
    },
  };
  t.same(openStore(at, late).history(1), []);
  t.same(readdirSync(at).sort(), ['history.jsonl', 'incoming', 'records', 'releases']);
  const walled: Disk = {
    ...realDisk,
    makeFolder(path) {
      writeFileSync(path, '');
      realDisk.makeFolder(path);
    },
  };
  t.throws(() => openStore(join(t.testdirName, 'wall'), walled), { code: 'E_DEPLOY_TARGET', message: /EEXIST/ });
  t.end();
});

t.test('what nobody needs goes: releases, records, received files', async t => {
  const store = newStore();
  for (const i of [0, 1, 2]) await good(store, i);
  const incoming = (name: string) => join(store.folder, 'incoming', name);
  for (const name of ['old', 'old.part', 'just', 'new.part']) writeFileSync(incoming(name), name);
  for (const name of ['old', 'old.part']) utimesSync(incoming(name), 1, 1);
  // Received a minute before the newest release: of a deployer who waits for the lock.
  const newestMs = statSync(store.releaseFolder(c)).mtimeMs;
  utimesSync(incoming('just'), newestMs / 1000 - 60, newestMs / 1000 - 60);
  utimesSync(incoming('new.part'), 2 ** 31, 2 ** 31);
  // Folders of two who received for longer than anybody waits; one of them still does.
  const [living, dead] = [ownedName(), 'of-1-1-1-00000000-0000-4000-8000-000000000000.0'];
  for (const name of [living, dead]) {
    mkdirSync(incoming(name));
    writeFileSync(join(incoming(name), 'a.part'), name);
    utimesSync(incoming(name), 1, 1);
  }
  t.same(store.prune(), [a]);
  t.same(readdirSync(join(store.folder, 'releases')).sort(), [b, c].sort());
  t.same(readdirSync(join(store.folder, 'records')).sort(), [`${b}.json`, `${c}.json`].sort());
  t.same(readdirSync(join(store.folder, 'incoming')).sort(), ['just', 'new.part', living].sort());
  await store.admit(bundles[3]!, {});
  store.propose(bundles[3]!.digest, { id: 'x', skip: {}, by });
  t.same(store.prune(), [], 'the one on trial stays');
});

t.test('deployments in a row do not grow the disk, whatever becomes of them', async t => {
  const store = newStore();
  const count = () => readdirSync(store.folder, { recursive: true }).length;
  const counts: number[] = [];
  for (let round = 0; round < 12; round++) {
    const i = round % 4;
    const digest = bundles[i]!.digest;
    await store.admit(bundles[i]!, {});
    if (store.propose(digest, { id: `round-${round}`, skip: {}, by })) {
      store.enter('limited');
      if (round % 3 === 2) store.operatorRollback('no', by);
      else store.commit(goodRecord);
    }
    store.prune();
    counts.push(count());
  }
  t.ok(Math.max(...counts.slice(6)) <= Math.max(...counts.slice(0, 6)), `${counts}`);
});

t.test('a clock that is wrong by years, either way, changes nothing but the hours', async t => {
  const { Date: realDate } = globalThis;
  t.teardown(() => {
    globalThis.Date = realDate;
  });
  const store = newStore();
  for (const [i, year] of [1970, 2099, 1980].entries()) {
    const at = realDate.UTC(year, 0, 2);
    globalThis.Date = class extends realDate {
      constructor() {
        super(at);
      }
      static override now() {
        return at;
      }
    } as DateConstructor;
    await good(openStore(store.folder), i);
    for (const digest of readdirSync(join(store.folder, 'releases')))
      utimesSync(store.releaseFolder(digest), at / 1000, at / 1000);
    store.prune();
    t.match(store.history(1), [{ event: 'committed', at: new RegExp(`^${year}-`) }]);
  }
  t.same([store.current(), store.previous()], [c, b]);
  t.equal(store.operatorRollback('back', by), b);
  t.same(events(store).slice(0, 4), ['proposed good-0', 'committed good-0', 'proposed good-1', 'committed good-1']);
});

t.test('the history is kept in the store', async t => {
  const store = newStore();
  store.note(entry(a, 'one'));
  store.note(entry(a, 'two'));
  t.same(store.history(1), [entry(a, 'two')]);
  t.same(openStore(store.folder).history(), [entry(a, 'one'), entry(a, 'two')]);
  store.keepRecord(a, goodRecord);
  t.same(store.record(a), goodRecord);
});

t.test('opening makes what is missing, removes what was left half done, and changes nothing else', async t => {
  const store = newStore();
  await good(store, 0);
  const names = readdirSync(store.folder, { recursive: true }).sort();
  for (const draft of [
    '.draft-state.json',
    '.draft-current',
    'records/.draft-x',
    'releases/.incoming-1',
    'releases/.outgoing-2',
  ])
    mkdirSync(join(store.folder, draft));
  openStore(store.folder);
  t.same(readdirSync(store.folder, { recursive: true }).sort(), names);
  let changes = 0;
  const counting = new Proxy(realDisk, {
    get: (disk, name: keyof typeof realDisk) => {
      changes++;
      return disk[name];
    },
  });
  openStore(store.folder, counting);
  t.equal(changes, 0, 'a store in order is only read');
});

t.test('a folder that is none, a bundle, and a link that is no link are no stores', async t => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  t.throws(() => openStore(file), { code: 'E_DEPLOY_TARGET', message: /file is no folder/, exit: 'usage' });
  t.throws(() => openStore(join(file, 'below')), { code: 'E_DEPLOY_TARGET' });
  t.throws(() => openStore(paths[0]!), {
    code: 'E_DEPLOY_TARGET',
    message: /is itself a policy bundle/,
    exit: 'usage',
  });
  const odd = join(folder, 'odd');
  mkdirSync(join(odd, 'previous'), { recursive: true });
  t.throws(() => openStore(odd), { code: 'E_DEPLOY_TARGET', message: /previous is not a link/ });
  t.same(readdirSync(odd), ['previous'], 'and nothing is made there');
});

t.test('a state that somebody changed is named', async t => {
  const store = newStore();
  writeFileSync(join(store.folder, 'state.json'), '{"format":"other"}');
  t.throws(() => openStore(store.folder), { code: 'E_FILE_SCHEMA', message: /state of a release store .*state\.json/ });
});

t.test('a plain bundle is its own policy, an empty folder none', async t => {
  t.equal(resolvePolicy(paths[0]!), paths[0]);
  t.throws(() => resolvePolicy(folder), { code: 'E_POLICY_MISSING', exit: 'usage', hint: /kit deploy/ });
  t.notOk(existsSync(join(folder, 'releases')));
  const store = newStore();
  await good(store, 0);
  rmSync(store.releaseFolder(a), { recursive: true });
  t.throws(() => resolvePolicy(store.folder), { code: 'E_POLICY_MISSING' });
  t.equal(readlinkSync(join(store.folder, 'current')), join('releases', a));
});

t.test('a store is told from a bundle, and one that is gone from one without a policy', t => {
  t.notOk(isReleaseStore(paths[0]!));
  t.notOk(isReleaseStore(join(folder, 'nowhere')));
  const store = newStore();
  t.ok(isReleaseStore(store.folder));
  t.equal(store.current(), undefined);
  t.match(store.state(), { sequence: 0, bad: {} });
  writeFileSync(join(store.folder, 'state.json'), '{"format":');
  t.throws(() => store.state(), { code: 'E_FILE_JSON', message: /state\.json/ });
  rmSync(store.folder, { recursive: true });
  t.throws(() => store.current(), { code: 'E_STORE_GONE', message: /is gone/ });
  t.throws(() => store.state(), { code: 'E_STORE_GONE' });
  t.end();
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
