/** `kit run`: a deployed policy drives an arm. The control loop owns this thread until the run is over. */
import { shortDigest } from '@sim2servo/models/digest';
import { Random } from '@sim2servo/models/random';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { drawnGoals, listedGoals } from '@sim2servo/runtime/goal-source';
import type { LoopStatus } from '@sim2servo/runtime/loop-report';
import { isReleaseStore } from '@sim2servo/runtime/releases/release-store';
import { choosePolicy, type RunReport, runPolicy } from '@sim2servo/runtime/run-policy';
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
import { atLeastOne, positiveNumber, wholeNumber } from '../number-option.js';
import { changeWords, trialWords } from '../policy-words.js';

interface RunFlags extends ArmFlags {
  readonly policy: string;
  readonly seconds?: number;
  readonly heldOut?: number;
  readonly explore?: number;
  readonly seed: number;
}

export const addRun: AddCommand = (program, context) => {
  withArmOptions(
    program
      .command('run')
      .description('drive an arm with a deployed policy; Ctrl-C holds it')
      .requiredOption(
        '--policy <folder>',
        'release store that kit deploy fills: what is deployed meanwhile is tried, and takes over; or a bundle',
      )
      .option('--seconds <n>', 'end after this time; without it, only Ctrl-C ends the run', positiveNumber)
      .option('--held-out <n>', 'pursue the first n held-out targets, then end', atLeastOne)
      .option(
        '--explore <sigma>',
        'noise on the actions, for collecting data: 0.1 is a tenth of the full action',
        positiveNumber,
      )
      .option('--seed <n>', 'of the goals and the noise', wholeNumber, 0),
  ).action((flags: RunFlags) => run(flags, context));
};

async function run(flags: RunFlags, context: CommandContext): Promise<void> {
  const arm = chooseArm(flags);
  const { robot } = arm;
  const { bundle, trial, next } = choosePolicy(robot, flags.policy);
  const { manifest, digest } = bundle;
  const what =
    flags.heldOut !== undefined
      ? `${flags.heldOut} held-out targets`
      : flags.seconds !== undefined
        ? `${flags.seconds} s`
        : 'until Ctrl-C';
  const onTrial = trial === undefined ? '' : ', which is on trial, slowly first';
  const takesOver = next?.skip.shadow === undefined ? 'is tried in its shadow first' : 'takes over at once, on trial';
  const beside = next === undefined ? '' : `, ${shortDigest(next.digest)} ${takesOver}`;
  const after = isReleaseStore(flags.policy) ? ', and after it with each one that kit deploy brings' : '';
  await confirmMotion(
    context,
    arm,
    flags,
    `with policy ${manifest.name} (${shortDigest(digest)})${onTrial}${beside}${after}, task ${manifest.task} at ${manifest.controlRateHz} Hz, ${what}`,
  );
  const task = taskNamed(manifest.task);
  const ticksEach = Math.round(task.episodeS(robot.spec, manifest.controlRateHz) * manifest.controlRateHz);
  const random = new Random(flags.seed);
  const goals =
    flags.heldOut === undefined
      ? drawnGoals(robot.spec, task, random.fork('goals'), ticksEach)
      : listedGoals(heldOutGoals(robot.spec, task, flags.heldOut), ticksEach);
  const report = await driveArm(context, arm, armClock(flags, context), statusWords, options =>
    runPolicy({
      ...options,
      policyDir: flags.policy,
      goals,
      ...(flags.seconds !== undefined && { seconds: flags.seconds }),
      ...(flags.explore !== undefined && { exploration: { sigma: flags.explore, random: random.fork('exploration') } }),
      onPolicy: change => {
        if (!change.trial) context.io.err(changeWords(change));
      },
      onTrial: news => context.io.err(trialWords(news, flags.policy)),
    }),
  );
  handOver(context, report, () =>
    reportWords(
      report,
      [
        ...report.followedBy.filter(({ trial }) => !trial).map(changeWords),
        ...report.trials.map(news => trialWords(news, flags.policy)),
        targetWords(report),
      ].join('\n'),
    ),
  );
}

function statusWords({ targets, reached, errorM, inferP99Us }: LoopStatus): string {
  const words = [`target ${targets + 1}, ${reached} reached`];
  // Nothing is measured before the first sample.
  if (!Number.isNaN(errorM)) words.push(`error ${(errorM * 1000).toFixed(1)} mm`);
  if (!Number.isNaN(inferP99Us)) words.push(`infer p99 ${inferP99Us.toFixed(0)} µs`);
  return words.join('  ');
}

function targetWords(report: RunReport): string {
  return report.targets.length === 0
    ? 'no target was pursued to its end'
    : `${report.reached} of ${report.targets.length} targets reached, mean error ${(report.meanErrorM * 1000).toFixed(1)} mm`;
}
