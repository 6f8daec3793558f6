/** Every policy that ships, through the control loop on the emulated servos of its robot's bus, in virtual time. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { listedGoals } from '@sim2servo/runtime/goal-source';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import t from 'tap';
import { runOnRig } from '../../src/rig/run-on-rig.js';

/** From home each is a run of its own. */
const targets = 12;
/** Chained they are one run each, from here and there in the list: a short one alone says little of which targets come after which. */
const chains = [0, 130, 260].map(from => [from, from + 25] as const);
const permittedMm = 15;

/** One run on an arm that stands at home, over these of the held-out targets. */
async function run(policyDir: string, from: number, to: number): Promise<RunReport> {
  const { manifest } = loadBundle(policyDir);
  const robot = loadRobot(manifest.robot.name);
  const task = taskNamed(manifest.task);
  const ticksEach = Math.round(task.episodeS(robot.spec, manifest.controlRateHz) * manifest.controlRateHz);
  const goals = listedGoals(heldOutGoals(robot.spec, task, to).slice(from), ticksEach);
  return runOnRig({ rig: 'bus-lockstep', robot, policyDir, goals });
}

const errorsMm = ({ targets }: RunReport) => targets.map(({ errorM }) => 1000 * errorM);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

for (const name of readdirSync(shippedPolicies)) {
  const policyDir = join(shippedPolicies, name);
  t.test(`${name}: from home, held-out targets are met within 15 mm on the mean`, async t => {
    const errors: number[] = [];
    for (let i = 0; i < targets; i++) {
      const report = await run(policyDir, i, i + 1);
      t.equal(report.end.kind, 'done', report.end.reason);
      errors.push(...errorsMm(report));
    }
    t.equal(errors.length, targets);
    t.comment(`mean ${mean(errors).toFixed(1)} mm, worst ${Math.max(...errors).toFixed(1)} mm`);
    t.ok(mean(errors) <= permittedMm, `${mean(errors).toFixed(1)} mm`);
  });

  t.test(`${name}: one target after the other, from where the last one ended, within 15 mm on the mean`, async t => {
    const errors: number[] = [];
    for (const chain of chains) {
      const report = await run(policyDir, ...chain);
      t.equal(report.end.kind, 'done', report.end.reason);
      t.comment(
        `targets ${chain.join(' to ')}: mean ${mean(errorsMm(report)).toFixed(1)} mm, ${report.reached} reached`,
      );
      errors.push(...errorsMm(report));
    }
    t.equal(
      errors.length,
      chains.reduce((sum, [from, to]) => sum + to - from, 0),
    );
    t.ok(mean(errors) <= permittedMm, `${mean(errors).toFixed(1)} mm`);
  });
}
