/** Courses of deployments that cover everything that a release store does to a disk. */
import { appendFileSync, cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { type HistoryEntry, historyFile } from '../../src/releases/history.js';
import { openStore, type ReleaseStore } from '../../src/releases/release-store.js';
import { announceRunning } from '../../src/releases/running.js';
import { robot } from './arm-fixture.js';
import { goodRecord } from './good-policy.js';
import type { Course, Step } from './lost-power-trials.js';
import { unsyncedDisk } from './recording-disk.js';
import { randomPolicy, writeSmallBundle } from './small-bundle.js';

const open = (folder: string) => openStore(folder, unsyncedDisk);

export const entry = (digest: string, words: string): HistoryEntry => ({
  at: '2026-01-01T00:00:00.000Z',
  id: 'noted',
  digest,
  event: 'verified',
  words,
  seconds: 0.5,
});

/** Folders of `count` policies, at a rate that leaves the self-test its time however loaded the machine is. */
export function writeBundles(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const path = join(folder, `bundle-${i}`);
    writeSmallBundle(path, robot, randomPolicy(robot, i + 1), { controlRateHz: 5 });
    return path;
  });
}

/** @param bundles folders of three policies */
export function courses(bundles: readonly string[]): Course[] {
  const loaded = bundles.map(folder => loadBundle(folder));
  const [a, b, c] = loaded.map(({ digest }) => digest) as [string, string, string];

  const step = (name: string, run: Step['run']): Step => ({ name, run });
  const admit = (i: number, sequence?: number) =>
    step(`admit ${i}`, store => store.admit(loaded[i]!, {}, { sequence }));
  /** The old policy is current, and that the trial is over is not written yet: it is tried from the beginning. */
  const backToShadow = ({ trial }: Record<string, unknown>, after: Record<string, unknown>) => ({
    ...after,
    current: a,
    trial: { ...(trial as object), phase: 'shadow', running: false },
  });
  /** A first policy is on trial, and not current yet: it is tried from the beginning. */
  const unlinked = (_: Record<string, unknown>, { current, ...after }: Record<string, unknown>) => ({
    ...after,
    trial: { ...(after.trial as object), phase: 'shadow' },
  });
  const propose = (digest: string, id: string) =>
    step(`propose ${id}`, store => store.propose(digest, { id, skip: {}, by: 'ann' }));
  const retry = (i: number, id: string) =>
    step(`retry ${id}`, async store => {
      const retryBad = 'the machine was busy';
      await store.admit(loaded[i]!, {}, { retryBad });
      store.propose(loaded[i]!.digest, { id, skip: {}, by: 'ann', retryBad });
    });
  const limited = step('enter limited', store => store.enter('limited'));
  const full = step('enter full', store => store.enter('full'));
  const started = step('start', store => store.started());
  const paused = step('pause', store => store.paused());
  const commit = step('commit', store => store.commit(goodRecord));
  const rollback = step('roll back', store => store.rollback('it missed 40 ticks', 'the judge'));
  const operator: Step = {
    name: 'operator rolls back',
    run: store => store.operatorRollback('it looked odd', 'ann'),
    // The link to what drives is first; that nothing is named to go forward to again harms nobody.
    halfway: [(_, { previous, ...after }) => after],
  };
  const prune = step('prune', store => store.prune());

  const waiting = { id: 'ended', digest: c, replaces: a, phase: 'shadow', running: false, skip: {} };

  const run = async (store: ReleaseStore, steps: readonly Step[]) => {
    for (const each of steps) await each.run(store);
  };
  const good = (i: number) => [
    admit(i, i),
    { ...propose(loaded[i]!.digest, `good-${i}`), ...(i === 0 && { halfway: [unlinked] }) },
    limited,
    started,
    full,
    commit,
    prune,
  ];
  /** What was before. */
  const had = (steps: readonly Step[], more: (folder: string) => void = () => {}) => {
    return async (folder: string) => {
      await run(open(folder), steps);
      more(folder);
    };
  };

  return [
    { name: 'the first policy', prepare: () => {}, steps: good(0) },
    {
      name: 'a third policy, the first goes',
      prepare: had([...good(0), ...good(1)], folder => writeFileSync(join(folder, 'incoming', 'f'.repeat(64)), 'old')),
      steps: good(2),
    },
    {
      name: 'bad in its shadow, another bad while it drives',
      prepare: had([...good(0), admit(1), admit(2)]),
      steps: [propose(b, 'bad-shadow'), rollback, propose(c, 'bad-limited'), limited, started, rollback, prune],
    },
    {
      name: 'the first policy is bad',
      prepare: had([admit(0)]),
      steps: [{ ...propose(a, 'bad-first'), halfway: [unlinked] }, limited, started, rollback, prune],
    },
    {
      name: 'two that were bad are tried again, one is good then',
      prepare: had([...good(0), admit(1), propose(b, 'bad'), rollback, admit(2), propose(c, 'bad, too'), rollback]),
      steps: [
        ...[retry(1, 'bad again'), limited, started, rollback],
        ...[retry(2, 'good now'), limited, started, full, commit, prune],
      ],
    },
    {
      name: 'an operator goes back, and ends a trial',
      prepare: had([...good(0), ...good(1), admit(2)]),
      steps: [
        operator,
        propose(c, 'ended-shadow'),
        operator,
        propose(c, 'ended'),
        step('announce', store => announceRunning(store, () => a)),
        limited,
        started,
        { ...operator, halfway: [...operator.halfway!, (_, after) => ({ ...after, trial: waiting })] },
      ],
    },
    {
      name: 'trials that nobody began are given up',
      prepare: had([...good(0), admit(1), admit(2), propose(b, 'untried')]),
      steps: [propose(c, 'untried-too'), propose(a, 'the good one'), prune],
    },
    {
      name: 'a trial that paused while it drove is given up for another',
      prepare: had([...good(0), admit(1), admit(2), propose(b, 'paused'), limited, full, started, paused]),
      steps: [{ ...propose(c, 'another'), halfway: [backToShadow] }, propose(a, 'the good one'), prune],
    },
    {
      name: 'a first policy that nobody began is given up for another',
      prepare: had([admit(0), admit(1), propose(a, 'untried')]),
      steps: [{ ...propose(b, 'untried-too'), halfway: [unlinked] }, prune],
    },
    {
      name: 'a run that ends, and goes on with the trial',
      prepare: had([...good(0), admit(1), propose(b, 'long')]),
      steps: [limited, started, paused, started, full, paused, started, commit],
    },
    {
      name: 'a history with a torn line',
      prepare: had(good(0), folder => appendFileSync(join(folder, historyFile), '{"at":"2026-01-01T00:0')),
      steps: [
        step('note', store => store.note(entry(a, 'one'))),
        step('note more', store => store.note(entry(a, 'two'))),
      ],
    },
    {
      name: 'a history that has grown long',
      prepare: had(good(0), folder => {
        const line = `${JSON.stringify({ ...entry(a, 'x'.repeat(1900)), id: 'old' })}\n`;
        appendFileSync(join(folder, historyFile), line.repeat(Math.ceil(2 ** 20 / line.length)));
      }),
      steps: [step('note', store => store.note(entry(a, 'one')))],
    },
    {
      name: 'a release that was damaged, and comes again',
      prepare: had(good(0), folder => {
        const release = join(folder, 'releases', b);
        cpSync(bundles[1]!, release, { recursive: true });
        truncateSync(join(release, 'policy.onnx'), readFileSync(join(release, 'policy.onnx')).length >> 1);
      }),
      steps: [admit(1), propose(b, 'again')],
    },
    {
      name: 'a loop says that it drives',
      prepare: had(good(0)),
      steps: [
        step('announce', store => announceRunning(store, () => a)),
        step('keep a record', store => store.keepRecord(a, { ...goodRecord, ticks: 900 })),
        step('announce another', store => announceRunning(store, () => b)),
        step('end', store => announceRunning(store, () => b)()),
      ],
    },
    {
      name: 'a folder of old, without a state or a history',
      prepare: (folder: string) => {
        const release = join(folder, 'releases', a);
        mkdirSync(join(folder, 'releases'), { recursive: true });
        cpSync(bundles[0]!, release, { recursive: true });
        unsyncedDisk.link(join('releases', a), join(folder, 'current'));
      },
      steps: [step('note', store => store.note(entry(a, 'one'))), admit(1, 5), propose(b, 'second')],
    },
  ];
}
