/** The fastest loop there is: 1 000 Hz on the ideal rig, whose servos are asked as often as one likes. */
import { join } from 'node:path';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { drawnGoals } from '@sim2servo/runtime/goal-source';
import { readLog } from '@sim2servo/runtime/log-reader';
import { writeSmallBundle } from '@sim2servo/runtime/test-support/small-bundle';
import t from 'tap';
import { runOnRig } from '../../src/rig/run-on-rig.js';

const controlRateHz = 1000;
const seconds = 5;
/** The log has single precision. */
const rounding = 1e-6;

t.test('a policy for 1 000 Hz: every tick on time and in the log, no joint told to go faster than it may', async t => {
  const robot = loadRobot('so101');
  const folder = t.testdir();
  const policyDir = join(folder, 'policy');
  const logPath = join(folder, 'log.mcap');
  writeSmallBundle(policyDir, robot, undefined, { controlRateHz });
  const report = await runOnRig({
    rig: 'ideal',
    robot,
    policyDir,
    logPath,
    seconds,
    goals: drawnGoals(robot.spec, taskNamed('reach'), new Random(3), controlRateHz),
  });
  t.match(report, { end: { kind: 'done' }, missed: 0, stale: 0, refused: 0, recordsDropped: 0 });
  t.ok(report.ticks >= seconds * controlRateHz, `${report.ticks} ticks`);
  let records = 0;
  let before: readonly number[] | undefined;
  let fastest = 0;
  readLog(logPath, {
    record({ target }) {
      records++;
      if (before !== undefined)
        for (const [j, { maxVelocity }] of robot.spec.joints.entries())
          fastest = Math.max(fastest, (Math.abs(target[j]! - before[j]!) * controlRateHz) / maxVelocity);
      before = Array.from(target);
    },
  });
  t.equal(records, report.ticks);
  t.ok(fastest <= 1 + rounding * controlRateHz, `${fastest.toFixed(4)} of the greatest velocity`);
  t.ok(fastest > 0.1, 'the arm did move');
});
