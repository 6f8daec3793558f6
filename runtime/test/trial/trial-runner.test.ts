/** One policy's way through its trial without threads: rows are made up, and each call to store and loop is written down in its order. */
import t from 'tap';
import { emptyRecord, type PolicyRecord } from '../../src/releases/policy-record.js';
import { emptyState, type Trial } from '../../src/releases/store-state.js';
import type { DriveRow } from '../../src/trial/drive-ring.js';
import type { DriveStep } from '../../src/trial/drive-tally.js';
import type { Shadow } from '../../src/trial/shadow.js';
import { phaseSeconds, type TriedPhase } from '../../src/trial/trial-phases.js';
import { TrialRunner } from '../../src/trial/trial-runner.js';
import type { TrialStore } from '../../src/trial/trial-store.js';

const hz = 50;
const serial = 1;
const digest = 'b'.repeat(64);
const calm: DriveStep = {
  ticks: 1,
  late: 0,
  limited: 0,
  bounded: 0,
  refused: 0,
  trackingSquareSum: 0.0001,
  errorSquareSum: 0.02,
  stillSquareSum: 0.16,
  inferUs: 20,
};
const reference: PolicyRecord = { ...emptyRecord, ticks: 100_000, trackingSquareSum: 10, inferP99Us: 20 };

/** A trial that leaves out these phases. */
const without = (skip: Trial['skip']): Partial<Trial> => ({ skip });

/** A shadow that has seen what it is told. */
function shadowOf(record: () => PolicyRecord): Shadow {
  return {
    see: async () => {},
    record,
    disagreement: () => ({ mean: [0.1, 0.2], largest: [0.3, 0.4], differingShare: 0.5 }),
    close: async () => {},
  } as unknown as Shadow;
}

class Bench {
  readonly calls: string[] = [];
  readonly said: string[] = [];
  readonly words: string[] = [];
  trial: Trial | undefined;
  /** Calls that fail. */
  readonly failing = new Set<string>();
  shadowed = { ...emptyRecord };
  nowMs = 0;
  readonly runner: TrialRunner;

  constructor(change: Partial<Trial> = {}) {
    this.trial = { id: 'x', digest, replaces: 'a'.repeat(64), phase: 'shadow', running: false, skip: {}, ...change };
    const call = (name: string, word = '') => {
      if (this.failing.has(name)) throw new Error(`ENOSPC in ${name}`);
      this.calls.push(word === '' ? name : `${name} ${word}`);
    };
    const store: TrialStore = {
      state: () => ({ ...emptyState, ...(this.trial && { trial: this.trial }) }),
      enter: phase => call('enter', phase),
      started: () => call('started'),
      wait: reason => call('wait', reason),
      paused: () => call('paused'),
      commit: ({ ticks }) => call('commit', String(ticks)),
      rollback: () => call('rollback'),
      record: () => undefined,
      keepRecord: () => {},
      note: ({ event, words }) => call('note', words.startsWith('left out') ? `no ${event}` : event),
    };
    this.runner = new TrialRunner({
      store,
      trial: this.trial,
      serial,
      reachable: this.trial.replaces !== undefined,
      joints: ['one', 'two'],
      controlRateHz: hz,
      shadow: shadowOf(() => this.shadowed),
      reference: () => reference,
      nowMs: () => this.nowMs,
      host: {
        drive: share => this.calls.push(`drive at ${share}`),
        goAt: share => this.calls.push(`go at ${share}`),
        back: () => this.calls.push('back'),
        settle: () => this.calls.push('settle'),
        say: ({ event, words }) => {
          this.said.push(event);
          this.words.push(words);
        },
      },
    });
  }

  begin(shadowed = true): this {
    this.runner.tell({ kind: 'begin', phase: this.trial!.phase as TriedPhase, shadowed });
    return this;
  }

  /** So many seconds of the phase that goes on, each tick like `step`; looked at at their end. */
  async drive(seconds: number, step: Partial<DriveStep> = {}, of = serial): Promise<this> {
    if (this.runner.step === 'shadow') this.shadowed = { ...emptyRecord, ticks: seconds * hz };
    else
      for (let i = 0; i < seconds * hz; i++) await this.runner.tick({ serial: of } as DriveRow, { ...calm, ...step });
    this.runner.look();
    return this;
  }

  async to(phase: TriedPhase): Promise<this> {
    this.begin();
    for (const each of ['shadow', 'limited'] as const) {
      if (this.runner.step === phase) break;
      await this.drive(phaseSeconds[each]);
    }
    this.calls.length = 0;
    this.said.length = 0;
    return this;
  }
}

t.test(
  'a whole trial: the store knows before the arm does, each phase is noted with its figures, and the record is of full speed',
  async t => {
    const bench = new Bench().begin();
    for (const phase of ['shadow', 'limited', 'full'] as const) await bench.drive(phaseSeconds[phase]);
    t.same(bench.calls, [
      ...['note shadow', 'enter limited', 'started', 'drive at 0.3'],
      ...['note limited', 'enter full', 'go at 1'],
      ...['note full', 'commit 1000', 'settle'],
    ]);
    t.same(bench.said, ['shadow', 'limited', 'full', 'committed']);
    t.notOk(bench.runner.active);
  },
);

t.test('ticks of the old policy are none of the new one’s', async t => {
  const bench = await new Bench().to('limited');
  await bench.drive(20, { refused: 1 }, 0);
  t.equal(bench.runner.step, 'limited');
});

t.test(
  'worse in any way that is judged: first the arm, then the store, and the phase’s figures are noted all the same',
  async t => {
    for (const [what, seconds, step] of [
      ['no numbers', 0.1, { refused: 1 }],
      ['slow', phaseSeconds.full, { inferUs: 6000 }],
      ['late', 0.2, { late: 1 }],
      ['hasty', 10, { limited: 1 }],
      ['against the ends', 10, { bounded: 1 }],
      ['far off', 10, { trackingSquareSum: 0.04 }],
      ['away from its goals', phaseSeconds.full, { errorSquareSum: 0.17 }],
    ] as const) {
      const bench = await new Bench().to('full');
      await bench.drive(seconds, step);
      t.same(bench.calls, ['back', 'note full', 'rollback'], what);
      t.same(bench.said, ['full', 'rolled-back'], what);
    }
  },
);

t.test('what is left out is noted with why', async t => {
  t.same(new Bench(without({ shadow: 'x' })).begin().calls, [
    'note no shadow',
    'enter limited',
    'started',
    'drive at 0.3',
  ]);
  t.same(new Bench(without({ shadow: 'x', limited: 'y' })).begin().calls.slice(0, 3), [
    'note no shadow',
    'note no limited',
    'enter full',
  ]);
  t.same(new Bench().begin(false).calls[0], 'note no shadow', 'nothing drives that it could look at');
  const bench = await new Bench(without({ limited: 'y' })).begin().drive(5);
  t.same(bench.calls, ['note shadow', 'note no limited', 'enter full', 'started', 'drive at 1']);
});

t.test('one that an earlier run has brought to a phase goes on there, and is not entered again', async t => {
  t.same(new Bench({ phase: 'limited' }).begin(false).calls, ['started', 'drive at 0.3']);
  t.same(new Bench({ phase: 'full' }).begin(false).calls, ['started', 'drive at 1']);
});

t.test('the end of a run pauses what drives, and has nothing to say to the store of what looks on', async t => {
  for (const [phase, calls] of [
    ['shadow', []],
    ['limited', ['paused']],
    ['full', ['paused']],
  ] as const) {
    const bench = await new Bench().to(phase);
    bench.runner.finish({ kind: 'ended' });
    t.same(bench.calls, calls);
    t.same(bench.said, ['paused']);
  }
});

t.test('a safety stop rolls back what drives', async t => {
  const bench = await new Bench().to('full');
  bench.runner.finish({ kind: 'stopped', reason: 'a plug' });
  t.same(bench.calls, ['back', 'note full', 'rollback']);
});

t.test('what can’t be tried waits, and what is refused goes, before anything drives', async t => {
  const waiting = new Bench();
  waiting.runner.tell({ kind: 'hindered', reason: 'another network' });
  t.same([waiting.calls, waiting.said, waiting.runner.active], [['wait another network'], ['waiting'], false]);
  const full = new Bench();
  full.failing.add('wait');
  full.runner.tell({ kind: 'hindered', reason: 'another network' });
  t.same([full.said, full.runner.active], [['unsaved', 'waiting'], false], 'it waits without a note, too');
  const refused = new Bench();
  refused.runner.tell({ kind: 'refused', reason: 'damaged' });
  t.same([refused.calls, refused.said], [['rollback'], ['rolled-back']]);
});

t.test(
  'a phase that the store can’t be told of is not entered; that is said once, and tried again every second',
  async t => {
    for (const failing of ['note', 'enter', 'started']) {
      const bench = await new Bench().to('shadow');
      bench.failing.add(failing);
      await bench.drive(5);
      bench.nowMs += 500;
      bench.runner.look();
      t.same(bench.said, ['unsaved'], failing);
      t.equal(bench.runner.step, 'shadow');
      t.notOk(bench.calls.includes('drive at 0.3'));
      bench.failing.clear();
      bench.runner.look();
      t.equal(bench.runner.step, 'shadow', 'not before the second is over');
      bench.nowMs += 500;
      bench.runner.look();
      t.equal(bench.runner.step, 'limited');
      t.same(bench.calls, ['note shadow', 'enter limited', 'started', 'drive at 0.3'], 'each of them once');
    }
  },
);

t.test('meanwhile it is judged on', async t => {
  const bench = await new Bench().to('limited');
  bench.failing.add('enter');
  await bench.drive(5);
  await bench.drive(0.1, { refused: 1 });
  t.same(bench.calls, ['note limited', 'back', 'rollback']);
});

t.test(
  'a rollback that the store can’t be told of happens on the arm, is told later, and at the end once more',
  async t => {
    const bench = await new Bench().to('full');
    bench.failing.add('rollback');
    await bench.drive(0.1, { refused: 1 });
    t.same(bench.calls, ['back', 'note full']);
    t.ok(bench.runner.active);
    bench.runner.look();
    bench.runner.finish({ kind: 'ended' });
    t.same(bench.said, ['unsaved', 'unsaved']);
    bench.failing.clear();
    bench.nowMs += 1000;
    bench.runner.look();
    t.same(bench.calls, ['back', 'note full', 'rollback']);
    t.same(bench.said.slice(-1), ['rolled-back']);
  },
);

t.test(
  'where the store takes nothing at all, each thing it lacks is said once, and not again every second',
  async t => {
    const bench = await new Bench().to('full');
    bench.failing.add('rollback').add('note');
    await bench.drive(0.1, { refused: 1 });
    for (let retry = 0; retry < 3; retry++) {
      bench.nowMs += 1000;
      bench.runner.look();
    }
    t.same(bench.said, ['unsaved', 'unsaved']);
    t.match(bench.words.slice(-2), [/the history lacks the figures/, /can't be written/]);
    bench.failing.clear();
    bench.nowMs += 1000;
    bench.runner.look();
    t.same(bench.calls, ['back', 'note full', 'rollback'], 'and told as soon as it can be');
  },
);

t.test('a bad policy goes even where there is no room for its figures', async t => {
  const bench = await new Bench().to('full');
  bench.failing.add('note');
  await bench.drive(0.1, { refused: 1 });
  t.same(bench.calls, ['back', 'rollback']);
  t.same(bench.said, ['unsaved', 'full', 'rolled-back']);
});

t.test('a commit that can’t be written leaves it in its phase, and at the end it is paused', async t => {
  const bench = await new Bench().to('full');
  bench.failing.add('commit');
  await bench.drive(phaseSeconds.full);
  t.equal(bench.runner.step, 'full');
  bench.runner.finish({ kind: 'ended' });
  t.same(bench.calls, ['note full', 'paused']);
});

t.test('whoever has ended the trial in the store is heeded, at a look and before any step', async t => {
  const gone = await new Bench().to('full');
  gone.trial = undefined;
  gone.runner.heed();
  t.same([gone.calls, gone.runner.step], [['back'], 'rollback']);
  const late = await new Bench().to('limited');
  late.trial = { ...late.trial!, id: 'another' };
  await late.drive(5);
  t.same([late.calls, late.runner.step], [['back'], 'rollback'], 'and nothing is entered any more');
  const wanted = await new Bench().to('limited');
  wanted.trial = { ...wanted.trial!, phase: 'rollback', reason: 'a deployer wants it' };
  wanted.runner.heed();
  t.same(wanted.calls, ['back', 'note limited', 'rollback']);
  wanted.runner.heed();
  t.same(wanted.calls.length, 3, 'once');
});

t.test('a rollback says what the robot does now', async t => {
  const again = await (await new Bench().to('full')).drive(0.1, { refused: 1 });
  t.match(again.words.at(-1), /^it gave no numbers in 5 of 5 ticks; the old policy drives again$/);
  const stopped = await new Bench().to('full');
  stopped.runner.finish({ kind: 'stopped', reason: 'a plug' });
  t.equal(stopped.words.at(-1), 'the arm was stopped: a plug; the arm holds, and the next run begins with the old one');
  const shadow = await new Bench().to('shadow');
  shadow.shadowed = { ...emptyRecord, ticks: 1, refusedTicks: 1 };
  shadow.runner.look();
  t.match(shadow.words.at(-1), /; it has not driven$/);
});
