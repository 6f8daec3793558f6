/** `kit eval`: a policy on the held-out targets, in simulation. */
import { type EvaluationArm, evaluatePolicy, evaluationArms } from '@sim2servo/train/evaluate';
import { Option } from 'commander';
import type { AddCommand } from '../command-context.js';
import { wholeNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';

interface EvalOptions {
  readonly targets: number;
  readonly arm: EvaluationArm;
  readonly robot?: string;
}

export const addEval: AddCommand = (program, context) => {
  program
    .command('eval')
    .description('try a policy on the held-out targets, in simulation')
    .argument('<policy>', 'run folder or bundle')
    .option('--targets <n>', 'how many targets', wholeNumber, 20)
    .addOption(new Option('--arm <which>', 'which arm').choices(evaluationArms).default('nominal'))
    .option('--robot <folder>', "the robot's folder, if it has moved since")
    .action(async (from: string, options: EvalOptions) => {
      const line = new ProgressLine(context.io);
      try {
        const result = await evaluatePolicy({
          from,
          ...options,
          signal: context.signal,
          onProgress: (done, of) => line.show(() => `target ${done} of ${of}`),
        });
        line.done();
        context.result(result, () =>
          [
            `${result.reached} of ${result.episodes} targets reached on the ${result.arm} arm`,
            `fingertip error: mean ${(result.meanErrorM * 1000).toFixed(1)} mm, worst ${(result.maxErrorM * 1000).toFixed(1)} mm`,
            `return: ${result.meanReturn.toFixed(1)} ± ${result.stdReturn.toFixed(1)}`,
          ].join('\n'),
        );
      } finally {
        line.done();
      }
    });
};
