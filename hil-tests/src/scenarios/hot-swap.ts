/**
 * Policies take over from each other while an arm moves: how far the control period around each takeover was from what it should be, beside
 * all others, and whether it cost a tick. In virtual time that is exact. In real time what the machine took from the loop is told from what a
 * takeover did by the rest of the same run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { drawnGoals } from '@sim2servo/runtime/goal-source';
import { Histogram } from '@sim2servo/runtime/histogram';
import { readLog } from '@sim2servo/runtime/log-reader';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import { phaseSeconds } from '@sim2servo/runtime/trial/trial-phases';
import type { SwapResult } from '../report/report.js';
import { runOnRig } from '../rig/run-on-rig.js';
import { Deployed } from './deployed.js';

/** Of a run in which a takeover never comes. */
const patienceMs = 120_000;
/** So many ticks that are none of a takeover lie between two. */
const ticksBetween = 25;
const seenTicks = phaseSeconds.full * 50;
/** From the tick on in which another one drives, it could cost something. */
const ticksAround = 3;
/** Less likely than this is no chance. */
const leastChance = 0.001;

export interface SwapOptions {
  readonly rig: string;
  readonly robot: LoadedRobot;
  /** Empty: the store and the log come into it. */
  readonly folder: string;
  /** Without a trial. */
  readonly takeovers: number;
  /** After these the third policy goes through its trial. */
  readonly trial?: boolean;
  readonly signal?: AbortSignal;
}

export interface Swapped {
  readonly report: RunReport;
  /** How far the period that ended with each takeover was from what it should be, µs; and all other periods. */
  readonly gapUs: Histogram;
  readonly othersUs: Histogram;
  /** Control periods that were lost in the three ticks from each takeover on; and in each three of all others. */
  readonly lost: readonly number[];
  readonly lostElsewhere: readonly number[];
}

/** @returns also of a run that was stopped, or in which not all took over: the report says so. @throws KitError where the rig itself fails */
export async function swapPolicies({
  rig,
  robot,
  folder,
  takeovers,
  trial = false,
  signal,
}: SwapOptions): Promise<Swapped> {
  const store = await Deployed.create(join(folder, 'store'), robot);
  const logPath = join(folder, 'log.mcap');
  const ended = new AbortController();
  let ordered = 0;
  let underWay = false;
  let lastTicks = 0;
  // With a trial the old policy is seen first, for as long as its error takes to count: that of a network that pursues nothing is large.
  let dueTicks = trial ? seenTicks : 0;
  try {
    const report = await runOnRig({
      rig,
      robot,
      policyDir: store.folder,
      logPath,
      goals: drawnGoals(robot.spec, taskNamed('reach'), new Random(2), 200),
      signal: AbortSignal.any([ended.signal, AbortSignal.timeout(patienceMs), ...(signal ? [signal] : [])]),
      onStatus({ motion, ticks }) {
        lastTicks = ticks;
        if (motion !== 'running' || underWay || ticks < dueTicks) return;
        underWay = true;
        if (ordered++ < takeovers) store.back();
        else if (trial) store.propose();
        else ended.abort();
      },
      onPolicy(change) {
        if (change.trial) return;
        underWay = false;
        dueTicks = lastTicks + ticksBetween;
      },
      onTrial({ event }) {
        if (event === 'committed' || event === 'rolled-back') ended.abort();
      },
    });
    return { report, ...periodsOf(logPath, report.policy.controlRateHz) };
  } finally {
    await store.close();
  }
}

/** Of a log of a run in which policies took over from each other. */
export function periodsOf(logPath: string, controlRateHz: number): Omit<Swapped, 'report'> {
  const shouldBeUs = 1e6 / controlRateHz;
  const gapUs = new Histogram();
  const othersUs = new Histogram();
  const lost: number[] = [];
  const lostElsewhere: number[] = [];
  let before: TransitionRecord | undefined;
  let ticks = 0;
  let periods = 0;
  let of = lostElsewhere;
  const begin = (what: number[]) => {
    ticks = 0;
    periods = 0;
    of = what;
  };
  readLog(logPath, {
    record(record) {
      const periodUs = before === undefined ? shouldBeUs : (record.timeS - before.timeS) * 1e6;
      const takeover = before !== undefined && before.policyDigest !== record.policyDigest;
      (takeover ? gapUs : othersUs).record(Math.abs(periodUs - shouldBeUs));
      if (takeover) begin(lost);
      periods += Math.max(0, Math.round(periodUs / shouldBeUs) - 1);
      if (++ticks === ticksAround) {
        of.push(periods);
        begin(lostElsewhere);
      }
      before = record;
    },
  });
  return { gapUs, othersUs, lost, lostElsewhere };
}

const hits = (lost: readonly number[]) => lost.filter(periods => periods > 0).length;

/**
 * Whether takeovers cost a tick. What the machine takes from the loop it takes at any time, several ticks in a row: the rest of the run says how
 * often that is. In virtual time it takes nothing, so there one is too many.
 */
export function takeoversCost(
  { lost, lostElsewhere }: Pick<Swapped, 'lost' | 'lostElsewhere'>,
  virtual: boolean,
): boolean {
  if (virtual) return hits(lost) > 0;
  return atLeast(hits(lost), lost.length, Math.max(1, hits(lostElsewhere)) / lostElsewhere.length) <= leastChance;
}

/** How likely it is that of `n` at least `k` are hit, each with the probability `share`. */
function atLeast(k: number, n: number, share: number): number {
  let sum = 0;
  let ways = 1;
  for (let i = 0; i <= n; i++) {
    if (i >= k) sum += ways * share ** i * (1 - share) ** (n - i);
    ways = (ways * (n - i)) / (i + 1);
  }
  return sum;
}

function tooBusy(reason: string): KitError {
  return new KitError(
    'E_HIL_HOST',
    `the run in which policies take over ended by itself: ${reason}`,
    'this machine may be too busy: try again when it is not',
  );
}

/** Of a report. */
const reportedTakeovers = 15;

/** @throws KitError E_HIL_HOST where this machine was too busy to drive the arm in real time */
export async function measureSwaps(
  robot: LoadedRobot,
  rig: string,
  virtual: boolean,
  signal?: AbortSignal,
): Promise<SwapResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sim2servo-swaps-'));
  try {
    const takeovers = reportedTakeovers;
    const options = { rig, robot, folder, takeovers, ...(signal && { signal }) };
    const swapped = await swapPolicies(options).catch((error: KitError) => {
      throw virtual || error.exit === 'bug' ? error : tooBusy(messageOf(error));
    });
    if (signal?.aborted === true) throw new KitError('E_INTERRUPTED', 'interrupted', 'run it again', 'interrupt');
    const { report, gapUs, othersUs, lost, lostElsewhere } = swapped;
    const { end, followedBy } = report;
    if (!virtual && end.kind !== 'interrupted') throw tooBusy(end.reason);
    const refused = followedBy.find(change => change.refused !== undefined)?.refused;
    const sum = (all: readonly number[]) => all.reduce((total, periods) => total + periods, 0);
    const failures = [
      ...(end.kind === 'interrupted' ? [] : [`the run ended by itself: ${end.reason}`]),
      ...(refused === undefined ? [] : [`one was refused: ${refused.message}`]),
      ...(lost.length === takeovers ? [] : [`${lost.length} of ${takeovers} took over`]),
      ...(takeoversCost(swapped, virtual) ? ['they cost ticks'] : []),
    ];
    return {
      robot: robot.spec.name,
      rig,
      passed: failures.length === 0,
      failures,
      takeovers: lost.length,
      missed: sum(lost),
      missedElsewhere: sum(lostElsewhere),
      gapUs: gapUs.toJSON(),
      othersUs: othersUs.toJSON(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
