import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { deployToFolder } from '../../src/releases/deploy-to-folder.js';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import { openStore, resolvePolicy } from '../../src/releases/release-store.js';
import { announceRunning } from '../../src/releases/running.js';
import { StoreLock } from '../../src/releases/store-lock.js';
import { robot } from '../support/arm-fixture.js';
import { deployGood, goodRecord } from '../support/good-policy.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';

const folder = t.testdir();
const bundles = [1, 2, 3, 4].map(seed => join(folder, `bundle-${seed}`));
const digests = bundles.map((path, i) => writeSmallBundle(path, robot, randomPolicy(robot, i + 1)));
let stores = 0;
const newStore = () => join(folder, `store-${stores++}`);
const releasesOf = (store: string) => readdirSync(join(store, 'releases')).sort();

t.test('a deployed bundle is the current release, tested there, and the next run tries it', async t => {
  const store = newStore();
  const deployed = await deployToFolder(bundles[0]!, store, { robot });
  t.equal(deployed.digest, digests[0]);
  t.equal(deployed.previous, undefined);
  t.equal(deployed.backend, 'native');
  t.ok(deployed.goldenMaxError < 1e-5);
  t.ok(deployed.inferUs.p99 > 0);
  t.equal(resolvePolicy(store), realpathSync(join(store, 'releases', digests[0]!)));
  t.equal(loadBundle(resolvePolicy(store), { robot }).digest, digests[0]);
  t.equal(
    readlinkSync(join(store, 'current')),
    join('releases', digests[0]!),
    'the link holds when the store is moved',
  );
  const { trial } = openStore(store).state();
  t.match(trial, { digest: digests[0], phase: 'limited', running: false });
  t.same(trial?.skip, {}, 'nobody wanted a phase left out');
  t.match(openStore(store).history(), [
    { event: 'proposed', id: trial!.id, words: /without shadow: there is none before it/, by: /@/ },
  ]);
});

t.test('a store may lie deeper than any folder that is there yet', async t => {
  const store = join(newStore(), 'a', 'b');
  await deployToFolder(bundles[0]!, store);
  t.same(readdirSync(store).sort(), ['current', 'history.jsonl', 'incoming', 'records', 'releases', 'state.json']);
});

t.test('the last good one is kept, older ones go', async t => {
  const store = newStore();
  for (const bundle of bundles.slice(0, 3)) await deployGood(bundle, store);
  const last = await deployToFolder(bundles[3]!, store);
  t.equal(last.previous, digests[2]);
  t.same(releasesOf(store), [digests[1]!, digests[2]!, digests[3]!].sort(), 'until it has proved good');
  openStore(store).enter('full');
  openStore(store).commit(goodRecord);
  const again = await deployToFolder(bundles[2]!, store);
  t.equal(again.previous, digests[3], 'back to the one before');
  t.same(releasesOf(store), [digests[2]!, digests[3]!].sort());
});

t.test('one that was never tried is nothing to fall back to', async t => {
  const store = newStore();
  await deployGood(bundles[0]!, store);
  await deployToFolder(bundles[1]!, store);
  const third = await deployToFolder(bundles[2]!, store);
  t.equal(third.previous, digests[0]);
  t.same(third.pruned, [digests[1]]);
  t.match(
    openStore(store)
      .history()
      .map(({ event, digest }) => [event, digest]),
    [
      ['proposed', digests[0]],
      ['committed', digests[0]],
      ['proposed', digests[1]],
      ['rolled-back', digests[1]],
      ['proposed', digests[2]],
    ],
  );
});

t.test('deploying the current one again changes nothing', async t => {
  const store = newStore();
  await deployGood(bundles[0]!, store);
  await deployGood(bundles[1]!, store);
  const before = openStore(store).history();
  const again = await deployToFolder(bundles[1]!, store);
  t.equal(again.previous, digests[0]);
  t.same(again.pruned, []);
  t.equal(openStore(store).state().trial, undefined);
  t.same(openStore(store).history(), before);
});

t.test('where a loop follows the store it is proposed, and the loop does the rest', async t => {
  const store = newStore();
  await deployGood(bundles[0]!, store);
  const end = announceRunning(openStore(store), () => digests[0]!);
  const deployed = await deployToFolder(bundles[1]!, store);
  t.equal(deployed.previous, digests[0]);
  t.equal(openStore(store).current(), digests[0], 'what drives is as it was');
  t.match(openStore(store).state().trial, { digest: digests[1], phase: 'shadow', running: false });
  await t.rejects(deployToFolder(bundles[2]!, store), { code: 'E_DEPLOY_BUSY', message: /on trial here just now/ });
  end();
});

t.test('a loop that begins at the last moment is found all the same', async t => {
  const store = newStore();
  await deployGood(bundles[0]!, store);
  let end: (() => void) | undefined;
  const slow: Disk = {
    ...realDisk,
    link(target, path) {
      if (path.endsWith('state.lock')) end ??= openStore(store).drive(({ current }) => current!);
      realDisk.link(target, path);
    },
  };
  await deployToFolder(bundles[1]!, store, {}, slow);
  t.equal(openStore(store).current(), digests[0], 'what drives is as it was');
  t.match(openStore(store).state().trial, { digest: digests[1], phase: 'shadow' });
  end!();
});

t.test('while another deploys nothing is begun, and the message says who does', async t => {
  const store = newStore();
  const lock = StoreLock.take(openStore(store), 'ann@desk');
  await t.rejects(deployToFolder(bundles[0]!, store), { code: 'E_DEPLOY_BUSY', message: /ann@desk \(process \d+\)/ });
  t.same(releasesOf(store), []);
  lock.release();
  await deployToFolder(bundles[0]!, store);
});

t.test('a store can be deployed from, too', async t => {
  const store = newStore();
  await deployToFolder(bundles[0]!, store);
  const other = newStore();
  t.equal((await deployToFolder(store, other)).digest, digests[0]);
});

t.test('a bundle with one byte changed never gets in, and the store stays as it was', async t => {
  const store = newStore();
  await deployToFolder(bundles[0]!, store);
  const spoilt = join(folder, 'spoilt');
  writeSmallBundle(spoilt, robot, randomPolicy(robot, 9));
  const model = readFileSync(join(spoilt, 'policy.onnx'));
  model[model.length >> 1]! ^= 1;
  writeFileSync(join(spoilt, 'policy.onnx'), model);
  await t.rejects(deployToFolder(spoilt, store), { code: 'E_BUNDLE_DIGEST' });
  t.same(releasesOf(store), [digests[0]]);
  t.equal(loadBundle(resolvePolicy(store)).digest, digests[0]);
});

t.test('a policy that answers otherwise here never gets in', async t => {
  const store = newStore();
  await deployToFolder(bundles[0]!, store);
  const off = join(folder, 'off');
  writeSmallBundle(off, robot, randomPolicy(robot, 5), { golden: 1e-3 });
  await t.rejects(deployToFolder(off, store), { code: 'E_BUNDLE_GOLDEN' });
  t.same(releasesOf(store), [digests[0]]);
  t.notOk(existsSync(join(store, 'lock')), 'and the lock is open again');
});

t.test('a release that was damaged in the store is replaced by a good copy', async t => {
  const store = newStore();
  await deployToFolder(bundles[0]!, store);
  writeFileSync(join(store, 'releases', digests[0]!, 'golden.json'), '{}');
  await deployToFolder(bundles[0]!, store);
  t.equal(loadBundle(resolvePolicy(store)).digest, digests[0]);
});

t.test('what an interrupted deployment left behind goes with the next', async t => {
  const store = newStore();
  await deployGood(bundles[0]!, store);
  mkdirSync(join(store, 'releases', '.incoming-1'));
  const deployed = await deployToFolder(bundles[1]!, store);
  t.same(deployed.pruned, []);
  t.same(releasesOf(store), [digests[0]!, digests[1]!].sort());
});

t.test('a folder that is no store is not made one', async t => {
  await t.rejects(deployToFolder(bundles[0]!, bundles[1]!), { code: 'E_DEPLOY_TARGET', exit: 'usage' });
  const odd = join(folder, 'odd');
  mkdirSync(join(odd, 'current'), { recursive: true });
  await t.rejects(deployToFolder(bundles[0]!, odd), { code: 'E_DEPLOY_TARGET', message: /current is not a link/ });
  writeFileSync(join(folder, 'file'), '');
  await t.rejects(deployToFolder(bundles[0]!, join(folder, 'file')), { code: 'E_DEPLOY_TARGET' });
});
