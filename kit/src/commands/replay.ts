/** `kit replay`: repeats what a log says was executed, through the shield, and says how far the arm was from what it did then. */
import { basename } from 'node:path';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { runArm } from '@sim2servo/runtime/run-arm';
import { approachRadS } from '@sim2servo/runtime/teleop/approach';
import { type JointDeviation, LogReplay } from '@sim2servo/runtime/teleop/log-replay';
import { recordedMotion } from '@sim2servo/runtime/teleop/recorded-motion';
import { targetPolicy } from '@sim2servo/runtime/teleop/target-policy';
import {
  type ArmFlags,
  armClock,
  chooseArm,
  confirmMotion,
  driveArm,
  handOver,
  reportWords,
  withArmOptions,
} from '../arm-at-hand.js';
import type { AddCommand, CommandContext } from '../command-context.js';
import { positiveNumber, wholeNumber } from '../number-option.js';

interface ReplayFlags extends ArmFlags {
  readonly episode?: number;
  readonly speed: number;
}

export const addReplay: AddCommand = (program, context) => {
  withArmOptions(
    program
      .command('replay')
      .description('repeat the motion of a log on the arm that it was recorded on; Ctrl-C holds it')
      .argument('<recorded>', '.mcap file')
      .option('--episode <n>', 'only this one (default: all but the lead-in)', wholeNumber)
      .option('--speed <share>', 'of the recorded rate, at most 1', positiveNumber, 1),
  ).action((path: string, flags: ReplayFlags) => replay(path, flags, context));
};

async function replay(path: string, flags: ReplayFlags, context: CommandContext): Promise<void> {
  const arm = chooseArm(flags);
  const { spec } = arm.robot;
  const motion = recordedMotion(path, arm.robot, flags.episode);
  const task = taskNamed(motion.task);
  const source = new LogReplay(spec, motion, flags.speed);
  const { controlRateHz, episodes } = motion;
  const which = flags.episode === undefined ? `${episodes.length} episodes` : `episode ${flags.episode}`;
  await confirmMotion(
    context,
    arm,
    flags,
    `as in ${path}: ${which}, ${source.seconds.toFixed(1)} s at ${flags.speed} of the recorded rate of ${controlRateHz} Hz`,
    `It first comes to where the recording begins, at ${approachRadS} rad/s at most.\n`,
  );
  const report = await driveArm(
    context,
    arm,
    armClock(flags, context),
    () => source.words(),
    options =>
      runArm({
        ...options,
        task,
        controlRateHz,
        policy: targetPolicy(spec, controlRateHz, source),
        drivenBy: { policyDigest: '', drivenBy: `replay of ${basename(path)}` },
        goals: source,
      }),
  );
  const deviations = source.deviations();
  const result = { ...report, recorded: path, speed: flags.speed, deviations };
  handOver(context, result, () =>
    reportWords(report, deviationWords(report.targets.length, episodes.length, deviations)),
  );
}

function deviationWords(played: number, episodes: number, deviations: readonly JointDeviation[]): string {
  const width = Math.max(...deviations.map(({ joint }) => joint.length));
  return [
    `${played} of ${episodes} episodes were repeated to their end; measured less recorded position, rms and max:`,
    ...deviations.map(
      ({ joint, rmsRad, maxRad }) => `  ${joint.padEnd(width)}  ${rmsRad.toFixed(4)}  ${maxRad.toFixed(4)} rad`,
    ),
  ].join('\n');
}
