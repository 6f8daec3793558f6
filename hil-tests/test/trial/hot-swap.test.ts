/**
 * Policies take over from each other while an arm moves, on emulated boards and servos: no tick is missed. In virtual time that is exact. In
 * real time something else keeps a core busy, and what the machine did to the loop is told from what the loop did itself.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { drawnGoals } from '@sim2servo/runtime/goal-source';
import { Histogram } from '@sim2servo/runtime/histogram';
import { readLog } from '@sim2servo/runtime/log-reader';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import t, { type Test } from 'tap';
import { runOnRig } from '../../src/rig/run-on-rig.js';
import { Deployed } from '../support/deployed.js';

const folder = t.testdir();
const patienceMs = 120_000;
/** Takeovers without a trial, before the one with. */
const swaps = 6;

interface Swapped {
  readonly report: RunReport;
  /** How long the period around each takeover was, µs from what it should be, and around all other ticks. */
  readonly gapUs: Histogram;
  readonly othersUs: Histogram;
  /** Whether a control period was lost in the three ticks from each takeover on; and in each three of all others. */
  readonly takeoversLost: readonly boolean[];
  readonly othersLost: readonly boolean[];
}

/** From the tick on in which another one drives, it could cost something. */
const ticksAround = 3;

async function swapped(rig: string, robotName: string, attempt = 0): Promise<Swapped> {
  const robot = loadRobot(robotName);
  const at = (what: string) => join(folder, `${rig}-${attempt}-${what}`);
  const store = await Deployed.create(at('store'), robot);
  const ended = new AbortController();
  const patience = setTimeout(() => ended.abort(), patienceMs);
  const logPath = at('log.mcap');
  let swapped = 0;
  let last = 0;
  let proposed = false;
  const report = await runOnRig({
    rig,
    robot,
    policyDir: store.folder,
    logPath,
    goals: drawnGoals(robot.spec, taskNamed('reach'), new Random(2), 200),
    signal: ended.signal,
    onStatus: ({ motion, ticks }) => {
      if (motion !== 'running' || proposed || ticks < last + 50) return;
      last = Number.POSITIVE_INFINITY;
      if (swapped++ < swaps) store.back();
      else {
        proposed = true;
        store.propose();
      }
    },
    onPolicy: ({ trial }) => {
      if (!trial) last = 0;
    },
    onTrial: ({ event }) => {
      if (event === 'committed' || event === 'rolled-back') ended.abort();
    },
  });
  clearTimeout(patience);
  await store.close();
  const gapUs = new Histogram();
  const othersUs = new Histogram();
  let before: TransitionRecord | undefined;
  const takeoversLost: boolean[] = [];
  const othersLost: boolean[] = [];
  let three = { ticks: 0, lost: false, of: othersLost };
  readLog(logPath, {
    record(record) {
      const periodUs = before === undefined ? 20_000 : (record.timeS - before.timeS) * 1e6;
      const takeover = before !== undefined && before.policyDigest !== record.policyDigest;
      (takeover ? gapUs : othersUs).record(Math.abs(periodUs - 20_000));
      if (takeover) three = { ticks: 0, lost: false, of: takeoversLost };
      three.lost ||= Math.round(periodUs / 20_000) > 1;
      if (++three.ticks === ticksAround) {
        three.of.push(three.lost);
        three = { ticks: 0, lost: false, of: othersLost };
      }
      before = record;
    },
  });
  return { report, gapUs, othersUs, takeoversLost, othersLost };
}

const words = (histogram: Histogram) => {
  const { count, p50, p99, max } = histogram.summary();
  return `${count} periods off by p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)}, max ${max.toFixed(0)} µs`;
};

/** The run's last ticks may still be of a trial that goes on: that one is over here. */
function complete(t: Test, { report, gapUs }: Swapped): void {
  t.same(
    report.trials.map(({ event }) => event),
    ['shadow', 'limited', 'full', 'committed'],
    report.trials.map(({ event, words }) => `${event}: ${words}`).join('\n'),
  );
  t.same(
    report.followedBy.filter(({ refused }) => refused !== undefined),
    [],
  );
  t.equal(report.followedBy.length, swaps + 1);
  t.equal(gapUs.count, swaps + 1, 'the log names who drove');
}

for (const [rig, robot] of [
  ['avr-lockstep', 'desk2'],
  ['bus-lockstep', 'so101'],
] as const)
  t.test(`${rig}: ${swaps} policies and one on trial take over, and no tick is missed`, async t => {
    const found = await swapped(rig, robot);
    complete(t, found);
    const { report, gapUs, othersUs } = found;
    t.match(report, { end: { kind: 'interrupted' }, missed: 0, stale: 0, recordsDropped: 0, refused: 0 });
    t.comment(`takeovers: ${words(gapUs)}; all others: ${words(othersUs)}`);
    t.ok(gapUs.summary().max <= othersUs.summary().max + 100, words(gapUs));
  });

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

/** Of a machine so busy that it starved the rig itself: then there was nothing to see. */
const attempts = 3;

async function undisturbed(t: Test, rig: string, robot: string): Promise<Swapped> {
  for (let attempt = 1; ; attempt++)
    try {
      const found = await swapped(rig, robot, attempt);
      if (found.report.end.kind === 'interrupted' || attempt === attempts) return found;
      t.comment(`attempt ${attempt}: ${found.report.end.reason}`);
    } catch (error) {
      if (!(error instanceof KitError) || error.exit === 'bug' || attempt === attempts) throw error;
      t.comment(`attempt ${attempt}: ${error.message}`);
    }
}

for (const [rig, robot] of [
  ['avr', 'desk2'],
  ['bus', 'so101'],
] as const)
  t.test(`${rig}: the same in real time beside a program that keeps a core busy: a takeover costs no tick`, async t => {
    const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    t.teardown(() => busy.kill('SIGKILL'));
    const found = await undisturbed(t, rig, robot);
    const { report, gapUs, othersUs, takeoversLost, othersLost } = found;
    t.comment(`${report.ticks} ticks, missed ${JSON.stringify(report.missedBy)}, stale ${report.stale}`);
    t.comment(`takeovers: ${words(gapUs)}; all others: ${words(othersUs)}`);
    complete(t, found);
    // What the machine takes from the loop it takes at any time, several ticks in a row: the rest of the run says how often that is.
    const [lost, lostElsewhere] = [takeoversLost, othersLost].map(all => all.filter(Boolean).length) as [
      number,
      number,
    ];
    const share = Math.max(1, lostElsewhere) / othersLost.length;
    t.equal(takeoversLost.length, swaps + 1);
    t.ok(
      atLeast(lost, takeoversLost.length, share) > 0.001,
      `${lost} of ${takeoversLost.length} takeovers lost a tick, and ${lostElsewhere} of ${othersLost.length} times three other ticks`,
    );
  });
