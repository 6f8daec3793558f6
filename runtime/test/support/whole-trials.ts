/** Whole trials in virtual time: run, watching thread, store and arm together, with policies that are good and that are bad in each way. */
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { fingertip } from '@sim2servo/models/kinematics';
import { listedGoals } from '../../src/goal-source.js';
import { realDisk } from '../../src/releases/disk.js';
import { emptyRecord } from '../../src/releases/policy-record.js';
import { openStore } from '../../src/releases/release-store.js';
import { StoreFolder } from '../../src/releases/store-folder.js';
import type { Trial } from '../../src/releases/store-state.js';
import type { RunOptions, RunReport, TimedNews } from '../../src/run-policy.js';
import { robot } from './arm-fixture.js';
import { deployGood } from './good-policy.js';
import { writeSmallBundle } from './small-bundle.js';
import { TrialPolicies } from './trial-policies.js';
import type { BoardOptions, VirtualBoard } from './virtual-board.js';
import { virtualRun } from './virtual-run.js';

/** Where the good one goes: its joints at this share of the way from the middle of their ranges to an end. */
const goal = new Float64Array(3);
fingertip(
  robot.spec,
  robot.spec.joints.map(({ range: [low, high] }) => (low + high) / 2 - (0.2 * (high - low)) / 2),
  goal,
);

/** Of the old policy, before another is proposed. */
export const before = 100;
/** After the last that a test waits for: time enough for the old one to bring the arm back from wherever another has taken it. */
const after = 150;

export interface Tried {
  readonly report: RunReport;
  /** As the run has left it: whoever opens it would finish what is half done. */
  readonly store: StoreFolder;
  readonly board: VirtualBoard;
  /** What was said, one word each. */
  readonly said: readonly string[];
}

export interface Play {
  /** Done once the old policy has driven for a while. */
  readonly first?: (folder: string, board: VirtualBoard) => void;
  /** Done when this is said. */
  readonly on?: Partial<Record<TimedNews['event'], (board: VirtualBoard) => void>>;
  /** Ends the run a while after this was said; after a policy was refused it ends in any case. */
  readonly until?: (news: TimedNews) => boolean;
  readonly board?: Partial<BoardOptions>;
  readonly options?: Partial<RunOptions>;
}

export const is =
  (...events: readonly TimedNews['event'][]) =>
  ({ event }: TimedNews) =>
    events.includes(event);

/** What a good one is said to do. */
export const wholeTrial = ['shadow', 'limited', 'full', 'committed'] as const;

/** Policies and stores in `folder`. */
export function trialsIn(folder: string) {
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
  type Name = keyof typeof digests;
  let stores = 0;

  /** A store with the old policy, committed; another is let in, and not on trial yet. */
  async function newStore(next: Name = 'good'): Promise<string> {
    const path = join(folder, `store-${stores++}`);
    await deployGood(bundle('old'), path, emptyRecord);
    await openStore(path).admit(loadBundle(bundle(next)), {});
    return path;
  }

  /** As a deployer does it. */
  function propose(path: string, name: Name, skip: Trial['skip'] = {}, retryBad?: string): void {
    const id = `trial of ${name}${retryBad === undefined ? '' : ', again'}`;
    openStore(path).propose(digests[name], { id, skip, by: 'ann@desk', retryBad });
  }
  const retry = (path: string, name: Name) => propose(path, name, {}, 'the machine was busy');

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

  /** As a deployer of before left it who could not see the loop: current already, and on trial. */
  function proposeUnseen(path: string, name: Name): void {
    const store = new StoreFolder(path, realDisk);
    store.change(state => {
      const trial = { id: `trial of ${name}`, digest: digests[name], replaces: old, running: false, skip: {} };
      store.write({ ...state, trial: { ...trial, phase: 'limited' } });
      store.link('current', digests[name]);
    });
  }

  return { bundle, digests: { old, ...digests }, newStore, propose, proposeUnseen, proposes, retry, tried };
}
