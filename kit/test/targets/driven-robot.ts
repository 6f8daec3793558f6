/**
 * A program: the policy of a store drives an so101 of emulated servos, and each one that comes after it is tried, until SIGTERM. In virtual
 * time, so that no verdict depends on what else this machine does.
 *
 * `node driven-robot.js STORE`
 */
import { runOnRig } from '@sim2servo/hil-tests/rig/run-on-rig';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { drawnGoals } from '@sim2servo/runtime/goal-source';

const ended = new AbortController();
process.once('SIGTERM', () => ended.abort());
const robot = loadRobot('so101');
const { end } = await runOnRig({
  rig: 'bus-lockstep',
  robot,
  policyDir: process.argv[2]!,
  goals: drawnGoals(robot.spec, taskNamed('reach'), new Random(1), 200),
  signal: ended.signal,
});
process.exitCode = end.kind === 'interrupted' ? 0 : 1;
