/**
 * One long run in virtual time: the real loop, link and recorder on emulated servos. Prints what it took as one line of JSON.
 * Needs `--expose-gc`: what is left on the heap is looked at after a collection.
 */

import { runOnRig } from '@sim2servo/hil-tests/rig/run-on-rig';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { drawnGoals } from '@sim2servo/runtime/goal-source';
import { logInfo } from '@sim2servo/runtime/logs';
import { choosePolicy } from '@sim2servo/runtime/run-policy';

const [, , robotName, policyDir, logPath, secondsText] = process.argv as string[];
const seconds = Number(secondsText);
const robot = loadRobot(robotName!);
const { controlRateHz, task: taskName } = choosePolicy(robot, policyDir!).bundle.manifest;
const goalS = 4;
const collect = globalThis.gc!;
/** Bytes after each tenth of the run. */
const heap: number[] = [];
const rss: number[] = [];
const mib = 2 ** 20;
const startedMs = performance.now();

const report = await runOnRig({
  rig: 'bus-lockstep',
  robot,
  policyDir: policyDir!,
  logPath: logPath!,
  seconds,
  goals: drawnGoals(robot.spec, taskNamed(taskName), new Random(0), goalS * controlRateHz),
  onStatus: ({ ticks }) => {
    if (ticks < ((heap.length + 1) / 10) * seconds * controlRateHz) return;
    collect();
    const { heapUsed, rss: resident } = process.memoryUsage();
    heap.push(heapUsed);
    rss.push(resident);
  },
});

const log = logInfo(logPath!);
const { kind, reason } = report.end;
// The first tenth fills caches and pools.
const grownMiB = (bytes: readonly number[]) => (bytes.at(-1)! - bytes[0]!) / mib;
process.stdout.write(
  `${JSON.stringify({
    robot: robot.spec.name,
    controlRateHz,
    end: `${kind}: ${reason}`,
    hours: seconds / 3600,
    wallSeconds: Math.round((performance.now() - startedMs) / 1000),
    ticks: report.ticks,
    missed: report.missed,
    missedBy: report.missedBy,
    stale: report.stale,
    linkErrors: report.linkErrors,
    recordsDropped: report.recordsDropped,
    logged: log.records,
    /** Of the last tick from where the first one says that it belongs. */
    driftUs: (log.seconds - (log.records + log.missing - 1) / controlRateHz) * 1e6,
    heapMiB: heap.map(bytes => Number((bytes / mib).toFixed(2))),
    rssMiB: rss.map(bytes => Number((bytes / mib).toFixed(1))),
    heapGrownMiB: grownMiB(heap),
    rssGrownMiB: grownMiB(rss),
  })}\n`,
);
process.exit(0);
