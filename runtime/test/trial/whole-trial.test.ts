/** How the trials of policies end that are good, and that are bad in each way. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { logInfo } from '../../src/logs.js';
import { deployToFolder } from '../../src/releases/deploy-to-folder.js';
import { openStore } from '../../src/releases/release-store.js';
import { before, is, trialsIn, wholeTrial } from '../support/whole-trials.js';

const folder = t.testdir();
const { bundle, digests, newStore, propose, proposes, retry, tried } = trialsIn(folder);
const { old, good, shaking, nan, away, other } = digests;

t.test('a good policy looks on, drives slowly, drives, and stays; no tick is missed meanwhile', async t => {
  const logPath = join(folder, 'good.mcap');
  const path = await newStore();
  const { report, store, said } = await tried(path, { ...proposes('good'), options: { logPath } });
  t.same(said, wholeTrial, JSON.stringify(report.trials));
  t.match(report, { end: { kind: 'interrupted' }, missed: 0, stale: 0 });
  t.match(report.followedBy, [{ digest: good, trial: true, refused: undefined }]);
  t.same(logInfo(logPath).policies, [old, good]);
  t.equal(store.linked('current'), good);
  t.same(store.state().bad, {});
  t.equal(store.state().trial, undefined);
  const history = store.history(5);
  t.same(
    history.map(({ event }) => event),
    ['proposed', 'shadow', 'limited', 'full', 'committed'],
  );
  const [, shadow, limited, full] = history;
  t.ok(shadow!.figures!.ticks! >= 250 && limited!.figures!.ticks! >= 250 && full!.figures!.ticks! >= 500);
  t.ok(shadow!.figures!['differenceMean.shoulder']! > 0.01, 'the two differ');
  t.match(store.record(good), { refusedTicks: 0, faults: 0 });
  t.ok(store.record(old)!.ticks > before, 'what the old one did is kept, too');
  t.notOk(existsSync(join(path, 'running.json')), 'nobody drives any more');
});

t.test('one that shakes is rolled back for the limiters, the old one drives again, and the run goes on', async t => {
  const path = await newStore('shaking');
  const { report, store, said, board } = await tried(path, proposes('shaking'));
  t.same(said.slice(-1), ['rolled-back']);
  t.match(
    report.trials.at(-1)!.words,
    /^velocity, acceleration or lead was limited in \d+\.\d % of the ticks, which may be in \d+\.\d %; the old policy drives again$/,
  );
  t.match(report.followedBy, [{ digest: shaking }, { digest: old, trial: true }]);
  t.match(report, { end: { kind: 'interrupted' }, missed: 0 });
  t.equal(store.linked('current'), old);
  t.match(store.state(), { bad: { [shaking]: /acceleration/ }, trial: undefined });
  t.match(store.history(1), [{ event: 'rolled-back', digest: shaking }]);
  t.equal(store.record(shaking), undefined, 'what it did is nothing to judge others by');
  t.ok(Math.abs(board.position[0]! - 0.3) < 0.1, `the old one has brought the arm back to ${board.position[0]}`);
});

t.test('the first answer that is no number brings the old policy back in the same moment', async t => {
  const path = await newStore('nan');
  const { report, store, said } = await tried(path, proposes('nan', { shadow: 'a test' }));
  t.same(said, ['limited', 'rolled-back']);
  t.match(report, { end: { kind: 'interrupted' }, refused: 1, missed: 0 });
  t.match(Object.values(store.state().bad), [/^it gave no numbers in 1 of \d+ ticks$/]);
  t.equal(store.linked('current'), old);
  t.match(store.history(4), [
    { event: 'proposed', words: /without shadow: a test/ },
    { event: 'shadow', words: 'left out: a test' },
    { event: 'limited' },
    { event: 'rolled-back' },
  ]);
});

t.test('in the shadow it is found without ever driving', async t => {
  const { report, said } = await tried(await newStore('nan'), proposes('nan'));
  t.same(said, ['shadow', 'rolled-back']);
  t.match(report, { refused: 0, followedBy: [] });
});

t.test('one that goes faster than the servos do is rolled back for its tracking error', async t => {
  const path = await newStore('fast');
  const { report, said } = await tried(path, { ...proposes('fast'), board: { speed: 0.9 } });
  t.comment(report.trials.map(({ words }) => words).join('\n'));
  t.equal(said.at(-1), 'rolled-back');
  t.match(report.trials.at(-1)!.words, /rad from their targets \(rms\), and may be/);
});

t.test('one that calmly goes where its goal is not is rolled back for that, also where it is the first', async t => {
  const { report, store } = await tried(await newStore('away'), proposes('away'));
  t.match(
    report.trials.at(-1)!.words,
    /^it was \d+ mm from its goals \(rms\), and may be \d+; an arm that stands still would be \d+; the old policy drives again$/,
  );
  t.match(report, { end: { kind: 'interrupted' }, missed: 0 });
  t.match(store.state().bad, { [away]: /mm from its goals/ });
  const path = join(folder, 'first-away');
  await deployToFolder(bundle('away'), path);
  const first = await tried(path, {});
  t.match(first.report.end, { kind: 'stopped', reason: /mm from its goals/ });
  t.equal(first.store.linked('current'), undefined);
});

t.test('a safety stop while it drives stays one, and the next run drives the old one', async t => {
  const path = await newStore();
  const { report, store, said } = await tried(path, {
    ...proposes('good'),
    on: {
      limited: board => {
        board.spoil = state => {
          state.device = 'latched';
          state.reason = 'somebody has pulled a plug';
        };
      },
    },
  });
  t.match(report.end, { kind: 'stopped', error: { exit: 'safetyStop' } });
  t.same(said, ['shadow', 'limited', 'full', 'rolled-back']);
  t.match(store.state(), { bad: { [good]: /the arm was stopped: .*pulled a plug/ }, trial: undefined });
  t.equal(store.linked('current'), old);
  t.equal((await tried(path, { first: () => {}, options: { seconds: 2 } })).report.policy.digest, old);
});

t.test('a safety stop in the shadow is none of its doing', async t => {
  const path = await newStore();
  propose(path, 'good');
  const { report, store, said } = await tried(path, {
    first: (_, board) => {
      board.spoil = state => {
        state.device = 'latched';
      };
    },
  });
  t.equal(report.end.kind, 'stopped');
  t.same(said, ['paused']);
  t.match(store.state(), { bad: {}, trial: { phase: 'shadow', running: false } });
  t.equal(store.record(old)!.faults, 1, 'it is the old one’s');
});

t.test('one that failed while the machine was busy is tried again as a whole, and stays', async t => {
  const path = await newStore();
  propose(path, 'good');
  openStore(path).rollback('it made 40 ticks late');
  const { said, store } = await tried(path, { first: () => retry(path, 'good') });
  t.same(said, wholeTrial);
  t.equal(store.linked('current'), good);
  t.match(store.state(), { bad: {}, trial: undefined });
});

t.test('and one that fails again, in the same run, is bad again', async t => {
  const path = await newStore('nan');
  let failed = 0;
  const { said, store } = await tried(path, {
    ...proposes('nan'),
    on: {
      'rolled-back': () => {
        if (++failed === 1) retry(path, 'nan');
      },
    },
    until: ({ event }) => event === 'rolled-back' && failed === 2,
  });
  t.same(said, ['shadow', 'rolled-back', 'shadow', 'rolled-back']);
  t.match(store.state(), { bad: { [nan]: /no numbers/ }, trial: undefined });
  t.equal(store.linked('current'), old);
});

t.test('one of another network waits, and the next run begins with it', async t => {
  const path = await newStore('other');
  const first = await tried(path, { ...proposes('other'), until: is('waiting') });
  t.same(first.said, ['waiting']);
  t.match(first.report.trials[0]!.words, /another network.*end the run, and start it again/);
  t.match(first.report, { end: { kind: 'interrupted' }, followedBy: [] });
  t.match(first.store.state().trial, { phase: 'shadow', waits: first.report.trials[0]!.words });
  const second = await tried(path, {});
  t.not(second.report.policy.digest, old);
  t.match(second.store.history(9).find(({ event }) => event === 'shadow')!, {
    digest: other,
    words: 'left out: no policy drove that could be exchanged for it',
  });
  t.equal(second.said[0], 'limited');
});

t.test('in place of one that waits for the next run another is tried in this one', async t => {
  const path = await newStore('other');
  await openStore(path).admit(loadBundle(bundle('good')), {});
  const { said, store } = await tried(path, { ...proposes('other'), on: { waiting: () => propose(path, 'good') } });
  t.same(said, ['waiting', ...wholeTrial]);
  t.equal(store.linked('current'), good);
  t.same(store.state().bad, {});
});

t.test('the first policy of a store is tried slowly at once, and stays', async t => {
  const path = join(folder, 'first-good');
  await deployToFolder(bundle('good'), path);
  const { report, store, said, board } = await tried(path, {});
  t.same(said, ['limited', 'full', 'committed']);
  t.equal(report.end.kind, 'interrupted');
  t.equal(store.linked('current'), good);
  t.equal(store.state().trial, undefined);
  const fastest = Math.max(
    ...board.writes.slice(1, 150).map(({ targets }, i) => Math.abs(targets[0]! - board.writes[i]!.targets[0]!)),
  );
  t.ok(fastest <= 0.3 * 4 * 0.02 + 1e-9, `in its first three seconds it goes ${fastest} rad a tick at most`);
});

t.test('where the first policy fails, the arm is stopped and holds, and the store names none', async t => {
  for (const name of ['shaking', 'nan'] as const) {
    const path = join(folder, `first-${name}`);
    const { digest } = await deployToFolder(bundle(name), path);
    const { report, store, board } = await tried(path, {});
    t.match(report.end, { kind: 'stopped', error: { exit: 'safetyStop' } });
    t.same(board.halts, ['hold']);
    t.equal(store.linked('current'), undefined);
    t.ok(store.state().bad[digest] !== undefined, report.end.reason);
    await t.rejects(tried(path, {}), { code: 'E_POLICY_MISSING' });
  }
});
