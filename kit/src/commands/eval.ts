/** `kit eval`: a policy on the held-out targets, or on episodes of the task of Gymnasium's that it was trained on, in simulation. */
import { KitError } from '@sim2servo/models/error';
import {
  type EvaluationArm,
  type EvaluationStart,
  evaluatePolicy,
  evaluationArms,
  evaluationStarts,
} from '@sim2servo/train/evaluate';
import { evaluateGymRun, isGymRun } from '@sim2servo/train/evaluate-gym';
import { Option } from 'commander';
import type { AddCommand, CommandContext } from '../command-context.js';
import { wholeNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';

interface EvalOptions {
  readonly targets: number;
  readonly arm?: EvaluationArm;
  readonly start?: EvaluationStart;
  readonly robot?: string;
}

export const addEval: AddCommand = (program, context) => {
  program
    .command('eval')
    .description('try a policy on the held-out targets, in simulation')
    .argument('<policy>', 'run folder or bundle')
    .option('--targets <n>', 'how many targets; episodes of a gym task', wholeNumber, 20)
    .addOption(new Option('--arm <which>', 'which arm (default: nominal)').choices(evaluationArms))
    .addOption(new Option('--start <where>', 'posture before each target (default: home)').choices(evaluationStarts))
    .option('--robot <folder>', "the robot's folder, if it has moved since")
    .action(async (from: string, options: EvalOptions) => {
      const line = new ProgressLine(context.io);
      try {
        await (isGymRun(from) ? tryGymRun : tryPolicy)(from, options, context, line);
      } finally {
        line.done();
      }
    });
};

async function tryPolicy(
  from: string,
  options: EvalOptions,
  context: CommandContext,
  line: ProgressLine,
): Promise<void> {
  const result = await evaluatePolicy({
    from,
    ...options,
    signal: context.signal,
    onProgress: (done, of) => line.show(() => `target ${done} of ${of}`),
  });
  line.done();
  context.result(result, () =>
    [
      `${result.reached} of ${result.episodes} targets reached on the ${result.arm} arm, from ${result.start === 'home' ? 'home' : 'random postures'}`,
      `fingertip error: mean ${(result.meanErrorM * 1000).toFixed(1)} mm, worst ${(result.maxErrorM * 1000).toFixed(1)} mm`,
      `return: ${result.meanReturn.toFixed(1)} ± ${result.stdReturn.toFixed(1)}`,
    ].join('\n'),
  );
}

async function tryGymRun(
  from: string,
  { targets, arm, start, robot }: EvalOptions,
  context: CommandContext,
  line: ProgressLine,
): Promise<void> {
  if (arm !== undefined || start !== undefined || robot !== undefined)
    throw new KitError(
      'E_NO_ROBOT',
      `${from} learnt a gym task, which has no robot`,
      'leave out --arm, --start and --robot',
      'usage',
    );
  const result = await evaluateGymRun({
    from,
    episodes: targets,
    signal: context.signal,
    onProgress: (done, of) => line.show(() => `episode ${done} of ${of}`),
  });
  line.done();
  context.result(result, () =>
    [
      `${result.task}: return ${result.meanReturn.toFixed(1)} ± ${result.stdReturn.toFixed(1)} over ${result.episodes} episodes`,
      `mean length ${result.meanLength} steps`,
    ].join('\n'),
  );
}
