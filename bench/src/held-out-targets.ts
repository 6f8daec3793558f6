/**
 * The policies that ship, on held-out targets in a row, each from where the last one ended: on six emulated servos, through the real link, in
 * virtual time.
 *
 * usage: node bench/dist/src/held-out-targets.js OUT.json
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runOnRig } from '@sim2servo/hil-tests/rig/run-on-rig';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { writeDurably } from '@sim2servo/models/durable-file';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { listedGoals } from '@sim2servo/runtime/goal-source';
import { machine } from './turns.js';

const count = 400;
const askedM = 0.015;

async function pursue(folder: string) {
  const { manifest } = loadBundle(folder);
  const robot = loadRobot(manifest.robot.name);
  const task = taskNamed(manifest.task);
  const ticks = Math.round(task.episodeS(robot.spec, manifest.controlRateHz) * manifest.controlRateHz);
  const goals = listedGoals(heldOutGoals(robot.spec, task, count), ticks);
  const { end, targets } = await runOnRig({ rig: 'bus-lockstep', robot, policyDir: folder, goals });
  const errorsM = targets.map(({ errorM }) => errorM);
  const sorted = errorsM.toSorted((a, b) => a - b);
  return {
    end,
    targets: errorsM.length,
    meanM: errorsM.reduce((sum, error) => sum + error, 0) / errorsM.length,
    medianM: sorted[errorsM.length >> 1],
    p90M: sorted[Math.floor(0.9 * errorsM.length)],
    worstM: sorted.at(-1),
    within15mm: errorsM.filter(error => error <= askedM).length,
    errorsM,
  };
}

const policies: Record<string, Awaited<ReturnType<typeof pursue>>> = {};
for (const name of readdirSync(shippedPolicies).toSorted()) {
  process.stderr.write(`${name}: ${count} targets\n`);
  policies[name] = await pursue(join(shippedPolicies, name));
}
const out = process.argv[2] ?? 'held-out-targets.json';
writeDurably(out, `${JSON.stringify({ ...machine(), policies }, undefined, 2)}\n`);
