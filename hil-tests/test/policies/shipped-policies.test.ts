/** Every policy that ships, through the control loop on the emulated servos of its robot's bus: one held-out target after the other. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { listedGoals } from '@sim2servo/runtime/goal-source';
import t from 'tap';
import { runOnRig } from '../../src/rig/run-on-rig.js';

const targets = 30;
const permittedM = 0.015;

for (const name of readdirSync(shippedPolicies)) {
  t.test(`${name}: mean error over ${targets} held-out targets on the bus`, async t => {
    const policyDir = join(shippedPolicies, name);
    const { manifest } = loadBundle(policyDir);
    const robot = loadRobot(manifest.robot.name);
    const task = taskNamed(manifest.task);
    const ticksEach = Math.round(task.episodeS(robot.spec, manifest.controlRateHz) * manifest.controlRateHz);
    const goals = listedGoals(heldOutGoals(robot.spec, task, targets), ticksEach);
    const report = await runOnRig({ rig: 'bus-lockstep', robot, policyDir, goals });
    t.equal(report.end.kind, 'done', report.end.reason);
    t.equal(report.targets.length, targets);
    const errorsMm = report.targets.map(({ errorM }) => 1000 * errorM).sort((a, b) => a - b);
    t.comment(
      `mean ${(1000 * report.meanErrorM).toFixed(1)} mm, median ${errorsMm[targets / 2]!.toFixed(1)}, worst ${errorsMm.at(-1)!.toFixed(1)}, ${report.reached} reached`,
    );
    t.ok(report.meanErrorM <= permittedM, `${(1000 * report.meanErrorM).toFixed(1)} mm`);
  });
}
