/** Trials on a disk that takes nothing any more, and in a store that is gone or is another’s. */

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { openStore } from '../../src/releases/release-store.js';
import { killed, startBeside } from '../support/other-process.js';
import { trialsIn, wholeTrial } from '../support/whole-trials.js';

const folder = t.testdir();
const { digests, newStore, propose, proposeUnseen, proposes, tried } = trialsIn(folder);
const { old, good, shaking } = digests;

/** The disk that the watching thread writes to is full while this lies there. */
const fullMark = (path: string) => `${path}.full`;
const onFullDisk = { watchThread: new URL('../support/full-disk-watch.js', import.meta.url) };

t.test('on a full disk what can’t be taken up does not drive: that is said once, and tried again', async t => {
  const path = await newStore();
  const { report, said } = await tried(path, {
    first: () => {
      writeFileSync(fullMark(path), '');
      proposeUnseen(path, 'good');
    },
    on: { unsaved: () => setTimeout(() => rmSync(fullMark(path)), 1000) },
    options: onFullDisk,
  });
  t.same(said, ['unsaved', ...wholeTrial]);
  t.match(report.followedBy, [{ digest: good, trial: true }]);
});

t.test('on a full disk no phase is entered: the old policy goes on, which is said, and tried again', async t => {
  const path = await newStore();
  const { report, said } = await tried(path, {
    first: () => {
      writeFileSync(fullMark(path), '');
      propose(path, 'good');
    },
    on: { unsaved: () => setTimeout(() => rmSync(fullMark(path)), 1500) },
    options: onFullDisk,
  });
  t.same(said, ['unsaved', ...wholeTrial]);
  t.match(report.trials[0]!.words, /can't be written: .*ENOSPC.*the old policy goes on; tried again every second/);
  t.match(report, { end: { kind: 'interrupted' }, missed: 0 });
});

t.test('where a bad policy can be taken back on the arm, and not in the store, the arm comes first', async t => {
  const path = await newStore('shaking');
  const { report, store, said } = await tried(path, {
    ...proposes('shaking'),
    on: { limited: () => writeFileSync(fullMark(path), '') },
    until: ({ words }) => words.includes('the old policy drives again'),
    options: onFullDisk,
  });
  const unsaved = report.trials.filter(({ event }) => event === 'unsaved').map(({ words }) => words);
  t.same(said.slice(0, 2), ['shadow', 'limited']);
  t.equal(said.length, 2 + unsaved.length, said.join());
  t.match(
    unsaved.find(words => /figures/.test(words)),
    /the history lacks the figures of its last phase: .*ENOSPC/,
  );
  t.match(
    unsaved.find(words => /again/.test(words)),
    /can't be written: .*ENOSPC.*the old policy drives again; tried again every second/,
  );
  t.match(unsaved.at(-1), /can't be written: .*ENOSPC/, 'the records, at the end');
  t.equal(report.followedBy.at(-1)!.digest, old);
  t.match(store.state().trial, { running: true });
  t.match(openStore(path).state(), { bad: { [shaking]: /ended while it was on trial/ }, trial: undefined });
  t.equal(store.linked('current'), old, 'the next opening knows that it ended on trial');
});

t.test('where the store goes in mid-trial nobody judges any more: the old policy comes back', async t => {
  const path = await newStore();
  const { report } = await tried(path, {
    ...proposes('good'),
    on: { shadow: () => renameSync(path, `${path}-gone`) },
  });
  t.match(report.followedBy.slice(0, 1), [{ digest: good }]);
  t.ok(report.followedBy.some(({ refused }) => refused?.code === 'E_FOLLOW'));
  t.match(report.followedBy.filter(({ refused }) => refused === undefined).at(-1), { digest: old });
  t.equal(report.end.error, undefined);
});

t.test('a store that another run drives with is refused before anything is opened', async t => {
  const path = await newStore();
  const other = await startBeside('hold-lock.js', path, old);
  t.teardown(() => killed(other));
  const link = { open: async () => t.fail('the port was opened') as never, close: async () => {} };
  await t.rejects(tried(path, { options: { link } }), { code: 'E_STORE_RUNNING' });
  t.match(openStore(path).state(), { bad: {} }, 'nothing was changed');
});
