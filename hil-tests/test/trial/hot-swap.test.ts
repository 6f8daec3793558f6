/**
 * Policies take over from each other while an arm moves, on emulated boards and servos: no tick is missed. In virtual time that is exact. In
 * real time something else keeps a core busy, and what the machine did to the loop is told from what the loop did itself.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { Histogram } from '@sim2servo/runtime/histogram';
import t, { type Test } from 'tap';
import { measureSwaps, type Swapped, swapPolicies, takeoversCost } from '../../src/scenarios/hot-swap.js';

const folder = t.testdir();
/** Takeovers without a trial, before the one with. */
const swaps = 6;
/** In real time. */
const realSwaps = 15;

function swapped(rig: string, robotName: string, attempt = 0): Promise<Swapped> {
  const own = join(folder, `${rig}-${attempt}`);
  mkdirSync(own);
  const robot = loadRobot(robotName);
  // Minutes of a trial in real time beside a program that takes a core starve the rig itself: what takes over is looked at, more often.
  return attempt === 0
    ? swapPolicies({ rig, robot, folder: own, takeovers: swaps, trial: true })
    : swapPolicies({ rig, robot, folder: own, takeovers: realSwaps });
}

const words = (histogram: Histogram) => {
  const { count, p50, p99, max } = histogram.summary();
  return `${count} periods off by p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)}, max ${max.toFixed(0)} µs`;
};

/** The run's last ticks may still be of a trial that goes on: that one is over here. */
function complete(t: Test, { report, gapUs }: Swapped, takeovers: number): void {
  t.same(
    report.followedBy.filter(({ refused }) => refused !== undefined),
    [],
  );
  t.equal(report.followedBy.length, takeovers);
  t.equal(gapUs.count, takeovers, 'the log names who drove');
}

for (const [rig, robot] of [
  ['avr-lockstep', 'desk2'],
  ['bus-lockstep', 'so101'],
] as const)
  t.test(`${rig}: ${swaps} policies and one on trial take over, and no tick is missed`, async t => {
    const found = await swapped(rig, robot);
    complete(t, found, swaps + 1);
    const { report, gapUs, othersUs } = found;
    t.same(
      report.trials.map(({ event }) => event),
      ['shadow', 'limited', 'full', 'committed'],
      report.trials.map(({ event, words }) => `${event}: ${words}`).join('\n'),
    );
    t.match(report, { end: { kind: 'interrupted' }, missed: 0, stale: 0, recordsDropped: 0, refused: 0 });
    t.comment(`takeovers: ${words(gapUs)}; all others: ${words(othersUs)}`);
    t.ok(gapUs.summary().max <= othersUs.summary().max + 100, words(gapUs));
  });

/** Of a machine so busy that it starved the rig itself: then there was nothing to see. */
const attempts = 20;

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
    const { report, gapUs, othersUs, lost, lostElsewhere } = found;
    t.comment(`${report.ticks} ticks, missed ${JSON.stringify(report.missedBy)}, stale ${report.stale}`);
    t.comment(`takeovers: ${words(gapUs)}; all others: ${words(othersUs)}`);
    complete(t, found, realSwaps);
    t.equal(lost.length, realSwaps);
    t.notOk(takeoversCost(found, false), `periods lost: ${lost}; in each three other ticks: ${lostElsewhere}`);
  });

t.test('a report counts the takeovers and the ticks that they cost', async t => {
  const found = await measureSwaps(loadRobot('koch'), 'bus-lockstep', true);
  t.match(found, { robot: 'koch', passed: true, failures: [], takeovers: 15, missed: 0, missedElsewhere: 0 });
  t.equal(found.gapUs.count, 15);
  t.ok(found.othersUs.count > 100);
});

t.test('whoever gives up waiting gets no result', async t => {
  const stop = new AbortController();
  const found = measureSwaps(loadRobot('so101'), 'bus-lockstep', true, stop.signal);
  stop.abort();
  await t.rejects(found, { code: 'E_INTERRUPTED' });
});

t.test('in virtual time one lost tick is too many; in real time one more than the machine takes elsewhere', async t => {
  const of = (length: number, hit: number) => Array.from({ length }, (_, i) => (i < hit ? 2 : 0));
  const cost = (hit: number, hitElsewhere: number, virtual: boolean) =>
    takeoversCost({ lost: of(10, hit), lostElsewhere: of(500, hitElsewhere) }, virtual);
  t.notOk(cost(0, 0, true));
  t.ok(cost(1, 400, true));
  t.notOk(cost(1, 0, false), 'once in 500 may fall on one of ten: 2 in 100 runs');
  t.ok(cost(2, 0, false), '2 in 10 000 runs');
  t.notOk(cost(2, 50, false));
  t.ok(cost(10, 50, false));
});
