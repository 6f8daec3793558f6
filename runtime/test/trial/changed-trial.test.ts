/** Trials that a run leaves to the next, and that somebody takes back, or changes in the store. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import { openStore } from '../../src/releases/release-store.js';
import { StoreFolder } from '../../src/releases/store-folder.js';
import { choosePolicy } from '../../src/run-policy.js';
import { robot } from '../support/arm-fixture.js';
import { is, type Play, trialsIn, wholeTrial } from '../support/whole-trials.js';

const folder = t.testdir();
const { bundle, digests, newStore, propose, proposeUnseen, proposes, tried } = trialsIn(folder);
const { old, good, shaking } = digests;

for (const [i, phase] of (['shadow', 'limited', 'full'] as const).entries())
  t.test(`a run that ends in the phase ${phase} leaves the trial to the next`, async t => {
    const path = await newStore();
    propose(path, 'good');
    const end: Play = i === 0 ? { options: { seconds: 2 } } : { until: is(wholeTrial[i - 1]!) };
    const { said, store } = await tried(path, end);
    t.same(said, [...wholeTrial.slice(0, i), 'paused']);
    t.match(store.state().trial, { phase, running: false });
    const chosen = choosePolicy(robot, path);
    const told = i === 0 ? { first: old, next: good } : { first: good, next: undefined };
    t.same({ first: chosen.bundle.digest, next: chosen.next?.digest }, told, 'who is about to run it is told both');
    t.equal(chosen.trial?.digest, i === 0 ? undefined : good);
    const next = await tried(path, {});
    t.same(next.said, wholeTrial.slice(i));
    t.equal(next.report.policy.digest, i === 0 ? old : good);
    t.equal(store.linked('current'), good);
  });

t.test('a trial that went on in a second run still falls back to the old policy', async t => {
  const path = await newStore('shaking');
  propose(path, 'shaking');
  openStore(path).enter('limited');
  const { report, said } = await tried(path, {});
  t.equal(report.policy.digest, shaking);
  t.match(report, { end: { kind: 'interrupted' }, followedBy: [{ digest: old, trial: true }] });
  t.equal(said.at(-1), 'rolled-back');
});

for (const when of ['while a loop drives', 'before one begins'] as const)
  t.test(`one that is damaged in the store ${when} is given up, and let in again it is tried`, async t => {
    const path = await newStore();
    const damage = () => {
      propose(path, 'good');
      writeFileSync(join(path, 'releases', good, 'policy.onnx'), 'x');
    };
    if (when === 'before one begins') damage();
    const { report, store } = await tried(path, when === 'before one begins' ? {} : { first: damage });
    t.match(report.trials, [{ event: 'rolled-back', words: /was changed after export/ }]);
    t.match(report.followedBy, []);
    t.equal(report.policy.digest, old);
    t.match(store.state(), { trial: undefined, bad: {} });
    t.notOk(good in store.state().bad, 'that is no fault of its own');
    await openStore(path).admit(loadBundle(bundle('good')), {});
    propose(path, 'good');
    t.same((await tried(path, {})).said, wholeTrial);
  });

t.test('what somebody takes back in the store gives way in the middle of its trial', async t => {
  const path = await newStore();
  const { report, said } = await tried(path, {
    ...proposes('good'),
    on: { shadow: () => openStore(path).operatorRollback('it looked odd', 'ann@desk') },
  });
  t.equal(said.at(-1), 'rolled-back');
  t.match(report.trials.at(-1)!.words, /^somebody has ended its trial; the old policy drives again$/);
  t.equal(report.end.kind, 'interrupted');
  t.same(
    report.followedBy.slice(-1).map(({ digest }) => digest),
    report.followedBy.length === 0 ? [] : [old],
  );
  t.same((await tried(path, { options: { seconds: 2 } })).store.state().bad, {}, 'nobody found it bad');
});

t.test('where somebody began to take it back, and was interrupted, the run finishes that', async t => {
  const path = await newStore();
  const dying: Disk = {
    ...realDisk,
    link(target, link) {
      if (target.startsWith('releases')) throw new Error('interrupted');
      realDisk.link(target, link);
    },
  };
  const rollback = () => openStore(path, dying).rollback('a deployer wants it so', 'ann@desk');
  const { said, store, report } = await tried(path, {
    ...proposes('good'),
    on: { shadow: () => t.throws(rollback, /interrupted/) },
  });
  t.equal(said.at(-1), 'rolled-back');
  t.match(report.followedBy.at(-1), { digest: old });
  t.match(store.state(), { bad: { [good]: 'a deployer wants it so' }, trial: undefined });
  t.equal(store.linked('current'), old);
});

t.test('what is made current while the arm moves, and is on trial, is tried from its shadow on', async t => {
  const path = await newStore();
  const currents: (string | undefined)[] = [];
  const { report, store, said } = await tried(path, {
    first: () => proposeUnseen(path, 'good'),
    on: { shadow: () => currents.push(openStore(path).state().trial?.replaces) },
  });
  t.same(said, wholeTrial);
  t.same(currents, [old]);
  t.match(report.followedBy, [{ digest: good, trial: true, refused: undefined }]);
  t.equal(report.followedBy.length, 1);
  t.equal(store.linked('current'), good);
});

t.test('and when it is taken back the one before drives, as the store says', async t => {
  const path = await newStore();
  const { report, store, said } = await tried(path, {
    first: () => proposeUnseen(path, 'good'),
    on: { limited: () => openStore(path).operatorRollback('it looked odd', 'ann@desk') },
  });
  t.equal(said.at(-1), 'rolled-back');
  t.match(report.followedBy.at(0), { digest: good, trial: true });
  t.match(report.followedBy.at(-1), { digest: old, trial: true });
  t.equal(store.linked('current'), old);
});

t.test('a rollback that somebody was killed in is finished, and its policy does not drive', async t => {
  const path = await newStore();
  const ended = new AbortController();
  const left = new StoreFolder(path, realDisk);
  const { report, store } = await tried(path, {
    async first() {
      left.change(state => {
        const trial = { id: 'killed', digest: good, replaces: old, running: false, skip: {} } as const;
        left.write({ ...state, trial: { ...trial, phase: 'rollback', reason: 'odd' } });
        left.link('current', good);
      });
      await sleep(1000);
      ended.abort();
    },
    options: { signal: ended.signal },
  });
  t.same(report.followedBy, []);
  t.match(store.state(), { bad: { [good]: 'odd' }, trial: undefined });
  t.equal(store.linked('current'), old);
});

t.test('what is proposed in the moment a run begins is tried by it', async t => {
  const path = await newStore();
  writeFileSync(`${path}.overtaken`, good);
  const { report, store, said } = await tried(path, {
    first: () => {},
    options: { watchThread: new URL('../support/overtaken-watch.js', import.meta.url) },
  });
  t.equal(report.policy.digest, old);
  t.same(said, wholeTrial);
  t.match(report.followedBy, [{ digest: good, trial: true }]);
  t.equal(store.linked('current'), good);
});
