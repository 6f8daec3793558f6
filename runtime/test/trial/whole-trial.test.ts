/** Whole trials in virtual time: run, watching thread, store and arm together, with policies that are good and that are bad in each way. */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { listedGoals } from '../../src/goal-source.js';
import { logInfo } from '../../src/logs.js';
import type { Trial } from '../../src/releases/store-state.js';
import { type RunOptions, type RunReport, runPolicy, type TimedNews } from '../../src/run-policy.js';
import { currentRelease } from '../../src/trial/first-policy.js';
import { goal, robot } from '../support/arm-fixture.js';
import { admit, FolderStore, historyOf, propose } from '../support/folder-store.js';
import { writeSmallBundle } from '../support/small-bundle.js';
import { TrialPolicies } from '../support/trial-policies.js';
import { type BoardOptions, VirtualBoard, VirtualClock } from '../support/virtual-board.js';

const folder = t.testdir();
const policies = new TrialPolicies(robot);
const bundle = (name: string) => join(folder, name);
const old = policies.write(bundle('old'), policies.goingTo(0.2));
const good = policies.write(bundle('good'), policies.goingTo(-0.2), 'good');
policies.write(bundle('shaking'), policies.shaking(), 'shaking');
policies.write(bundle('nan'), policies.notANumber(), 'nan');
writeSmallBundle(bundle('other'), robot);

const patienceMs = 60_000;
/** Of the old policy, before another is proposed. */
const before = 100;
/** After the last that a test waits for. */
const after = 50;

interface Tried {
  readonly report: RunReport;
  readonly store: FolderStore;
  readonly board: VirtualBoard;
  /** What was said, one word each. */
  readonly said: readonly string[];
}

interface Play {
  /** Done once the old policy has driven for a while. */
  readonly first?: (folder: string, board: VirtualBoard) => void;
  /** Done when this is said. */
  readonly on?: Partial<Record<TimedNews['event'], (board: VirtualBoard, end: () => void) => void>>;
  /** Ends the run a while after this was said. */
  readonly until?: readonly TimedNews['event'][];
  readonly board?: Partial<BoardOptions>;
  readonly options?: Partial<RunOptions>;
}

let stores = 0;

/** A store with the old policy, committed. */
function newStore(): string {
  const path = join(folder, `store-${stores++}`);
  const digest = admit(path, bundle('old'));
  new FolderStore(path).link('current', digest);
  return path;
}

async function tried(
  path: string,
  { first, on = {}, until = ['committed', 'rolled-back'], board, options }: Play,
): Promise<Tried> {
  const clock = new VirtualClock();
  const arm = new VirtualBoard(clock, { position: [0.3, 1.4], ...board });
  const ended = new AbortController();
  const patience = setTimeout(() => ended.abort(), patienceMs);
  let ticks = 0;
  let begun = false;
  let endAt = Number.POSITIVE_INFINITY;
  const report = await runPolicy({
    robot,
    policyDir: path,
    link: { open: async () => arm, close: async () => {} },
    clock,
    goals: listedGoals([goal], 1e9),
    virtualTime: true,
    signal: ended.signal,
    onStatus: status => {
      ticks = status.ticks;
      if (!begun && ticks > before) {
        begun = true;
        first?.(path, arm);
      }
      if (ticks > endAt) ended.abort();
    },
    onTrial: ({ event }) => {
      on[event]?.(arm, () => ended.abort());
      if (until.includes(event)) endAt = ticks + after;
    },
    ...options,
  }).finally(() => clearTimeout(patience));
  return { report, store: new FolderStore(path), board: arm, said: report.trials.map(({ event }) => event) };
}

/** A trial that leaves out these phases. */
const without = (skip: Trial['skip']): Partial<Trial> => ({ skip });
const proposes = (name: string, change: Partial<Trial> = {}) => ({
  first: (path: string) => {
    propose(path, bundle(name), change);
  },
});

t.test('a good policy looks on, drives slowly, drives, and stays; no tick is missed meanwhile', async t => {
  const logPath = join(folder, 'good.mcap');
  const path = newStore();
  const { report, store, said } = await tried(path, { ...proposes('good'), options: { logPath } });
  t.same(said, ['shadow', 'limited', 'full', 'committed'], JSON.stringify(report.trials));
  t.match(report, { end: { kind: 'interrupted' }, missed: 0, stale: 0 });
  t.match(report.followedBy, [{ digest: good, trial: true, refused: undefined }]);
  t.same(logInfo(logPath).policies, [old, good]);
  t.equal(currentRelease(path), good);
  t.same(store.state().bad, {});
  t.equal(store.state().trial, undefined);
  const history = historyOf(path);
  t.same(
    history.map(({ event }) => event),
    ['shadow', 'limited', 'full', 'committed'],
  );
  const [shadow, limited, full] = history;
  t.ok(shadow!.figures!.ticks! >= 250 && limited!.figures!.ticks! >= 250 && full!.figures!.ticks! >= 500);
  t.ok(shadow!.figures!['differenceMean.shoulder']! > 0.01, 'the two differ');
  t.match(store.record(good), { refusedTicks: 0, faults: 0 });
  t.ok(store.record(old)!.ticks > before, 'what the old one did is kept, too');
  t.notOk(existsSync(join(path, 'running.json')), 'nobody drives any more');
});

t.test('one that shakes is rolled back for the limiters, the old one drives again, and the run goes on', async t => {
  const path = newStore();
  const { report, store, said, board } = await tried(path, proposes('shaking'));
  t.same(said.slice(-1), ['rolled-back']);
  const shaking = report.trials.at(-1)!.digest;
  t.match(
    report.trials.at(-1)!.words,
    /^velocity, acceleration or lead was limited in \d+\.\d % of the ticks, which may be in \d+\.\d %; the old policy drives again$/,
  );
  t.match(report.followedBy, [{ digest: shaking }, { digest: old, trial: true }]);
  t.match(report, { end: { kind: 'interrupted' }, missed: 0 });
  t.equal(currentRelease(path), old);
  t.match(store.state(), { bad: { [shaking]: /acceleration/ }, trial: undefined });
  t.same(historyOf(path).at(-1)!.event, 'rolled-back');
  t.equal(store.record(shaking), undefined, 'what it did is nothing to judge others by');
  t.ok(Math.abs(board.position[0]! - 0.3) < 0.1, `the old one has brought the arm back to ${board.position[0]}`);
});

t.test('the first answer that is no number brings the old policy back in the same moment', async t => {
  const path = newStore();
  const { report, store, said } = await tried(path, proposes('nan', without({ shadow: 'a test' })));
  t.same(said, ['limited', 'rolled-back']);
  t.match(report, { end: { kind: 'interrupted' }, refused: 1, missed: 0 });
  t.match(Object.values(store.state().bad), [/^it gave no numbers in 1 of \d+ ticks$/]);
  t.equal(currentRelease(path), old);
  t.match(historyOf(path), [
    { event: 'shadow', words: 'left out: a test' },
    { event: 'limited' },
    { event: 'rolled-back' },
  ]);
});

t.test('in the shadow it is found without ever driving', async t => {
  const { report, said } = await tried(newStore(), proposes('nan'));
  t.same(said, ['shadow', 'rolled-back']);
  t.match(report, { refused: 0, followedBy: [] });
});

t.test('one that goes faster than the servos do is rolled back for its tracking error', async t => {
  policies.write(bundle('fast'), policies.swinging(1), 'fast');
  const path = newStore();
  const { report, said } = await tried(path, { ...proposes('fast'), board: { speed: 0.9 } });
  t.comment(report.trials.map(({ words }) => words).join('\n'));
  t.equal(said.at(-1), 'rolled-back');
  t.match(report.trials.at(-1)!.words, /rad from their targets \(rms\), and may be/);
});

t.test('a safety stop while it drives stays one, and the next run drives the old one', async t => {
  const path = newStore();
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
  t.equal(currentRelease(path), old);
  t.equal((await tried(path, { first: () => {}, options: { seconds: 2 } })).report.policy.digest, old);
});

t.test('a safety stop in the shadow is none of its doing', async t => {
  const path = newStore();
  propose(path, bundle('good'));
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

t.test('one of another network waits, and the next run begins with it', async t => {
  const path = newStore();
  const first = await tried(path, { ...proposes('other'), until: ['waiting'] });
  t.same(first.said, ['waiting']);
  t.match(first.report.trials[0]!.words, /another network.*end the run, and start it again/);
  t.match(first.report, { end: { kind: 'interrupted' }, followedBy: [] });
  const second = await tried(path, {});
  t.not(second.report.policy.digest, old);
  t.match(historyOf(path)[0], { event: 'shadow', words: 'left out: no policy drove that could be exchanged for it' });
  t.equal(second.said[0], 'limited');
});

t.test('the first policy of a store is tried slowly at once, and stays', async t => {
  const path = join(folder, 'first-good');
  propose(path, bundle('good'));
  const { report, store, said, board } = await tried(path, {});
  t.same(said, ['limited', 'full', 'committed']);
  t.equal(report.end.kind, 'interrupted');
  t.equal(currentRelease(path), good);
  t.equal(store.state().trial, undefined);
  const fastest = Math.max(
    ...board.writes.slice(1, 150).map(({ targets }, i) => Math.abs(targets[0]! - board.writes[i]!.targets[0]!)),
  );
  t.ok(fastest <= 0.3 * 4 * 0.02 + 1e-9, `in its first three seconds it goes ${fastest} rad a tick at most`);
});

t.test('where the first policy fails, the arm is stopped and holds, and the store names none', async t => {
  for (const name of ['shaking', 'nan']) {
    const path = join(folder, `first-${name}`);
    const { digest } = propose(path, bundle(name));
    const { report, store, board } = await tried(path, {});
    t.match(report.end, { kind: 'stopped', error: { exit: 'safetyStop' } });
    t.same(board.halts, ['hold']);
    t.equal(currentRelease(path), undefined);
    t.ok(store.state().bad[digest] !== undefined, report.end.reason);
    await t.rejects(tried(path, {}), { code: 'E_POLICY_MISSING' });
  }
});

const wholeTrial = ['shadow', 'limited', 'full', 'committed'] as const;
for (const [i, phase] of (['shadow', 'limited', 'full'] as const).entries())
  t.test(`a run that ends in the phase ${phase} leaves the trial to the next`, async t => {
    const path = newStore();
    propose(path, bundle('good'));
    const end: Play = i === 0 ? { options: { seconds: 2 } } : { until: [wholeTrial[i - 1]!] };
    const { said, store } = await tried(path, end);
    t.same(said, [...wholeTrial.slice(0, i), 'paused']);
    t.match(store.state().trial, { phase, running: false });
    const next = await tried(path, {});
    t.same(next.said, wholeTrial.slice(i));
    t.equal(next.report.policy.digest, i === 0 ? old : good);
    t.equal(currentRelease(path), good);
  });

t.test('a trial that went on in a second run still falls back to the old policy', async t => {
  const path = newStore();
  const { digest } = propose(path, bundle('shaking'), { phase: 'limited' });
  new FolderStore(path).link('current', digest);
  const { report, said } = await tried(path, {});
  t.equal(report.policy.digest, digest);
  t.match(report, { end: { kind: 'interrupted' }, followedBy: [{ digest: old, trial: true }] });
  t.equal(said.at(-1), 'rolled-back');
});

t.test('one that was changed in the store is rolled back before it is looked at', async t => {
  const path = newStore();
  const { report, store } = await tried(path, {
    first: () => {
      const { digest } = propose(path, bundle('good'));
      writeFileSync(join(path, 'releases', digest, 'policy.onnx'), 'x');
    },
  });
  t.match(report.trials, [{ event: 'rolled-back', words: /was changed after export/ }]);
  t.match(report.followedBy, []);
  t.ok(good in store.state().bad);
});

t.test('what somebody takes back in the store gives way in the middle of its trial', async t => {
  const path = newStore();
  const { report, said } = await tried(path, {
    ...proposes('good'),
    on: { shadow: () => new FolderStore(path).rollback('an operator wants it so') },
  });
  t.equal(said.at(-1), 'rolled-back');
  t.match(report.trials.at(-1)!.words, /^somebody has ended its trial; the old policy drives again$/);
  t.equal(report.end.kind, 'interrupted');
  t.same(
    report.followedBy.slice(-1).map(({ digest }) => digest),
    report.followedBy.length === 0 ? [] : [old],
  );
  const asked = newStore();
  const second = await tried(asked, {
    ...proposes('good'),
    on: {
      shadow: () => {
        const store = new FolderStore(asked);
        const { trial, ...state } = store.state();
        store.write({ ...state, trial: { ...trial!, phase: 'rollback', reason: 'a deployer wants it so' } });
      },
    },
  });
  t.equal(second.said.at(-1), 'rolled-back');
  t.match(second.store.state(), { bad: { [good]: 'a deployer wants it so' }, trial: undefined });
});

t.test('on a full disk no phase is entered: the old policy goes on, which is said, and tried again', async t => {
  const path = newStore();
  const { report, said } = await tried(path, {
    first: () => {
      writeFileSync(join(path, 'full'), 'enter');
      propose(path, bundle('good'));
    },
    on: { unsaved: () => setTimeout(() => rmSync(join(path, 'full')), 1500) },
  });
  t.same(said, ['unsaved', ...wholeTrial]);
  t.match(report.trials[0]!.words, /can't be written: ENOSPC.*the old policy goes on; tried again every second/);
  t.match(report, { end: { kind: 'interrupted' }, missed: 0 });
});

t.test('where a bad policy can be taken back on the arm, and not in the store, the arm comes first', async t => {
  const path = newStore();
  const { report, store, said } = await tried(path, {
    first: () => {
      writeFileSync(join(path, 'full'), 'rollback paused keepRecord');
      propose(path, bundle('shaking'));
    },
    until: ['unsaved'],
  });
  t.same(said.slice(-3), ['unsaved', 'unsaved', 'unsaved'], 'at once, at the end of the run, and the records');
  t.match(report.trials.at(-3)!.words, /can't be written: ENOSPC.*the old policy drives again/);
  t.equal(report.followedBy.at(-1)!.digest, old);
  t.match(store.state().trial, { running: true }, 'the next opening knows that it ended on trial');
});

t.test('where the store goes in mid-trial nobody judges any more: the old policy comes back', async t => {
  const path = newStore();
  const { report } = await tried(path, {
    ...proposes('good'),
    on: { shadow: () => renameSync(path, `${path}-gone`) },
    options: { seconds: 60 },
  });
  t.match(report.followedBy.slice(0, 1), [{ digest: good }]);
  t.ok(report.followedBy.some(({ refused }) => refused?.code === 'E_FOLLOW'));
  t.match(report.followedBy.filter(({ refused }) => refused === undefined).at(-1), { digest: old });
  t.equal(report.end.error, undefined);
});

t.test('a store that another run drives with is refused before anything is opened', async t => {
  const path = newStore();
  writeFileSync(join(path, 'running.json.other'), '');
  const link = { open: async () => t.fail('the port was opened') as never, close: async () => {} };
  await t.rejects(tried(path, { options: { link } }), { message: /another process drives/ });
});
