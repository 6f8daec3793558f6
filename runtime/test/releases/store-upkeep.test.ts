/** What a store is made of, how it is kept small, and what is no store. */
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import { ownedName } from '../../src/releases/owner.js';
import { isReleaseStore, openStore, resolvePolicy } from '../../src/releases/release-store.js';
import { entry } from '../support/deployment-courses.js';
import { goodRecord } from '../support/good-policy.js';
import { by, events, storesIn } from '../support/small-stores.js';

const folder = t.testdir();
const { paths, bundles, newStore, good } = storesIn(folder);
const [a, b, c] = bundles.map(({ digest }) => digest) as [string, string, string];

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
