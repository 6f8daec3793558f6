/** Demonstrations on emulated servos, and the same motion again: what `kit record` and `kit replay` do, in virtual time. */
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { logInfo } from '@sim2servo/runtime/logs';
import { type ArmReport, type ArmRun, runArm } from '@sim2servo/runtime/run-arm';
import { writeDemonstrations } from '@sim2servo/runtime/teleop/demonstrations';
import { LogReplay } from '@sim2servo/runtime/teleop/log-replay';
import { recordedMotion } from '@sim2servo/runtime/teleop/recorded-motion';
import { Takes } from '@sim2servo/runtime/teleop/takes';
import { type TargetSource, targetPolicy } from '@sim2servo/runtime/teleop/target-policy';
import t from 'tap';
import { openRig } from '../../src/rig/open-rig.js';

const robot = loadRobot('so101');
const folder = t.testdir({});
const controlRateHz = 50;

/** On a new arm each time, at home and limp. */
async function drive(source: TargetSource, goals: ArmRun['goals'], logPath: string): Promise<ArmReport> {
  const rig = await openRig('bus-lockstep', robot);
  try {
    return await runArm({
      robot,
      link: rig.connect(),
      clock: rig.clock,
      task: taskNamed('reach'),
      controlRateHz,
      policy: targetPolicy(robot.spec, controlRateHz, source),
      drivenBy: { policyDigest: '' },
      goals,
      logPath,
      virtualTime: true,
    });
  } finally {
    await rig.close();
  }
}

t.test('what was demonstrated is repeated on another day within a few hundredths of a radian', async t => {
  const raw = join(folder, 'demo.mcap.raw');
  const log = join(folder, 'demo.mcap');
  const takes = new Takes({ episodes: 2, ticksEach: 100, resetTicks: 10, ready: () => true });
  let tick = 0;
  const hand: TargetSource = {
    aim(state, dtS, targets) {
      tick++;
      for (let j = 0; j < targets.length; j++)
        targets[j] = state.target[j]! + 0.8 * Math.sin(tick / (10 + 2 * j)) * dtS;
    },
    words: () => '',
  };
  const recorded = await drive(hand, takes, raw);
  t.equal(recorded.end.kind, 'done', recorded.end.reason);
  const kept = takes.keptOf(recorded.targets).map(({ episode }) => episode);
  t.same(writeDemonstrations(raw, log, robot.spec, kept), { path: log, episodes: 2, records: 200 });

  const motion = recordedMotion(log, robot);
  const replay = new LogReplay(robot.spec, motion, 1);
  const again = join(folder, 'again.mcap');
  const report = await drive(replay, replay, again);
  t.equal(report.end.kind, 'done', report.end.reason);
  t.equal(report.targets.length, 2);
  for (const { joint, rmsRad, maxRad } of replay.deviations()) {
    t.comment(`${joint}: ${rmsRad.toFixed(4)} rad rms, ${maxRad.toFixed(4)} rad at most`);
    // It was in motion when an episode began, and now it rests: at most the arm's lag at 0.8 rad/s.
    t.ok(rmsRad < 0.02 && maxRad < 0.1, `${joint}: ${rmsRad} rad rms, ${maxRad} rad at most`);
  }
  t.ok(logInfo(again).complete, 'it writes a log of its own');
  const second = recordedMotion(again, robot, report.targets[1]!.episode);
  t.equal(second.episodes[0]!.steps.length, 100);
  for (const [i, { target }] of second.episodes[0]!.steps.entries())
    if (i > 20)
      for (const [j, value] of target.entries())
        t.ok(Math.abs(value - motion.episodes[1]!.steps[i]!.target[j]!) < 0.01, `tick ${i}: ${value}`);
});
