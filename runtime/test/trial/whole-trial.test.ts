/** Whole trials in virtual time: run, watching thread, store and arm together, with policies that are good and that are bad in each way. */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { fingertip } from '@sim2servo/models/kinematics';
import t from 'tap';
import { listedGoals } from '../../src/goal-source.js';
import { logInfo } from '../../src/logs.js';
import { deployToFolder } from '../../src/releases/deploy-to-folder.js';
import { type Disk, realDisk } from '../../src/releases/disk.js';
import { emptyRecord } from '../../src/releases/policy-record.js';
import { openStore } from '../../src/releases/release-store.js';
import { StoreFolder } from '../../src/releases/store-folder.js';
import type { Trial } from '../../src/releases/store-state.js';
import type { RunOptions, RunReport, TimedNews } from '../../src/run-policy.js';
import { robot } from '../support/arm-fixture.js';
import { deployGood } from '../support/good-policy.js';
import { killed, startBeside } from '../support/other-process.js';
import { writeSmallBundle } from '../support/small-bundle.js';
import { TrialPolicies } from '../support/trial-policies.js';
import type { BoardOptions, VirtualBoard } from '../support/virtual-board.js';
import { virtualRun } from '../support/virtual-run.js';

const folder = t.testdir();
const policies = new TrialPolicies(robot);
const bundle = (name: string) => join(folder, name);
const old = policies.write(bundle('old'), policies.goingTo(0.2));
const good = policies.write(bundle('good'), policies.goingTo(-0.2), 'good');
const shaking = policies.write(bundle('shaking'), policies.shaking(), 'shaking');
const nan = policies.write(bundle('nan'), policies.notANumber(), 'nan');
const fast = policies.write(bundle('fast'), policies.swinging(1), 'fast');
const away = policies.write(bundle('away'), policies.goingTo(0.6), 'away');
const other = writeSmallBundle(bundle('other'), robot);
const digests = { good, shaking, nan, fast, away, other };
/** Where the good one goes: its joints at this share of the way from the middle of their ranges to an end. */
const goal = new Float64Array(3);
fingertip(
  robot.spec,
  robot.spec.joints.map(({ range: [low, high] }) => (low + high) / 2 - (0.2 * (high - low)) / 2),
  goal,
);
type Name = keyof typeof digests;

/** Of the old policy, before another is proposed. */
const before = 100;
/** After the last that a test waits for: time enough for the old one to bring the arm back from wherever another has taken it. */
const after = 150;

interface Tried {
  readonly report: RunReport;
  /** As the run has left it: whoever opens it would finish what is half done. */
  readonly store: StoreFolder;
  readonly board: VirtualBoard;
  /** What was said, one word each. */
  readonly said: readonly string[];
}

interface Play {
  /** Done once the old policy has driven for a while. */
  readonly first?: (folder: string, board: VirtualBoard) => void;
  /** Done when this is said. */
  readonly on?: Partial<Record<TimedNews['event'], (board: VirtualBoard) => void>>;
  /** Ends the run a while after this was said; after a policy was refused it ends in any case. */
  readonly until?: (news: TimedNews) => boolean;
  readonly board?: Partial<BoardOptions>;
  readonly options?: Partial<RunOptions>;
}

const is =
  (...events: readonly TimedNews['event'][]) =>
  ({ event }: TimedNews) =>
    events.includes(event);

let stores = 0;

/** A store with the old policy, committed; another is let in, and not on trial yet. */
async function newStore(next: Name = 'good'): Promise<string> {
  const path = join(folder, `store-${stores++}`);
  await deployGood(bundle('old'), path, emptyRecord);
  await openStore(path).admit(loadBundle(bundle(next)), {});
  return path;
}

/** As a deployer does it. */
function propose(
  path: string,
  name: Name,
  skip: Trial['skip'] = {},
  phase: 'shadow' | 'limited' = 'shadow',
  retryBad?: string,
): void {
  const id = `trial of ${name}${retryBad === undefined ? '' : ', again'}`;
  openStore(path).propose(digests[name], { id, skip, by: 'ann@desk', phase, retryBad });
}
const retry = (path: string, name: Name) => propose(path, name, {}, 'shadow', 'the machine was busy');

/** The disk that the watching thread writes to is full while this lies there. */
const fullMark = (path: string) => `${path}.full`;
const onFullDisk = { watchThread: new URL('../support/full-disk-watch.js', import.meta.url) };

async function tried(
  path: string,
  { first, on = {}, until = is('committed', 'rolled-back'), board, options }: Play,
): Promise<Tried> {
  let begun = false;
  let endAt = Number.POSITIVE_INFINITY;
  const done = await virtualRun(
    path,
    run => ({
      goals: listedGoals([goal], 1e9),
      onTick() {
        if (!begun && run.ticks > before) {
          begun = true;
          first?.(path, run.board);
        }
        if (run.ticks > endAt) run.end();
      },
      onPolicy({ refused }) {
        if (refused !== undefined) endAt = run.ticks + after;
      },
      onTrial(news) {
        on[news.event]?.(run.board);
        if (until(news)) endAt = run.ticks + after;
      },
      ...options,
    }),
    board,
  );
  return { ...done, store: new StoreFolder(path, realDisk), said: done.report.trials.map(({ event }) => event) };
}

const proposes = (name: Name, skip: Trial['skip'] = {}) => ({
  first: (path: string) => propose(path, name, skip),
});

const wholeTrial = ['shadow', 'limited', 'full', 'committed'] as const;

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

for (const [i, phase] of (['shadow', 'limited', 'full'] as const).entries())
  t.test(`a run that ends in the phase ${phase} leaves the trial to the next`, async t => {
    const path = await newStore();
    propose(path, 'good');
    const end: Play = i === 0 ? { options: { seconds: 2 } } : { until: is(wholeTrial[i - 1]!) };
    const { said, store } = await tried(path, end);
    t.same(said, [...wholeTrial.slice(0, i), 'paused']);
    t.match(store.state().trial, { phase, running: false });
    const next = await tried(path, {});
    t.same(next.said, wholeTrial.slice(i));
    t.equal(next.report.policy.digest, i === 0 ? old : good);
    t.equal(store.linked('current'), good);
  });

t.test('a trial that went on in a second run still falls back to the old policy', async t => {
  const path = await newStore('shaking');
  propose(path, 'shaking', {}, 'limited');
  const { report, said } = await tried(path, {});
  t.equal(report.policy.digest, shaking);
  t.match(report, { end: { kind: 'interrupted' }, followedBy: [{ digest: old, trial: true }] });
  t.equal(said.at(-1), 'rolled-back');
});

t.test('one that was changed in the store is rolled back before it is looked at', async t => {
  const path = await newStore();
  const { report, store } = await tried(path, {
    first: () => {
      propose(path, 'good');
      writeFileSync(join(path, 'releases', good, 'policy.onnx'), 'x');
    },
  });
  t.match(report.trials, [{ event: 'rolled-back', words: /was changed after export/ }]);
  t.match(report.followedBy, []);
  t.ok(good in store.state().bad);
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

/** As a deployer leaves it who can't see the loop, in a container for instance: current already, and on trial. */
function proposeUnseen(path: string, name: Name): void {
  const store = new StoreFolder(path, realDisk);
  store.change(state => {
    const trial = { id: `trial of ${name}`, digest: digests[name], replaces: old, running: false, skip: {} };
    store.write({ ...state, trial: { ...trial, phase: 'limited' } });
    store.link('current', digests[name]);
  });
}

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
  t.equal(report.policy.digest, good);
  t.same(said, wholeTrial.slice(1));
  t.same(report.followedBy, []);
  t.equal(store.linked('current'), good);
});

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
