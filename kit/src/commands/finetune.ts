/** `kit finetune`: a policy goes on learning from the logs of a real arm. */
import { finetune, finetuneDefaults } from '@sim2servo/train/finetune';
import type { TrainingProgress } from '@sim2servo/train/learn-options';
import type { AddCommand } from '../command-context.js';
import { positiveNumber, wholeNumber } from '../number-option.js';
import { duration, ProgressLine } from '../progress-line.js';
import { trainingLine } from './train.js';

interface FinetuneFlags {
  readonly from: string;
  readonly logs: string;
  readonly out: string;
  readonly bundle?: string;
  readonly robot?: string;
  readonly seed?: number;
  readonly steps?: number;
  readonly loggedShare?: number;
}

export const addFinetune: AddCommand = (program, context) => {
  program
    .command('finetune')
    .description('learn on from the logs of an arm, and write a new bundle')
    .requiredOption('--from <policy>', 'run folder or bundle: the parent')
    .requiredOption('--logs <folder>', 'folder of .mcap logs, or one log')
    .option('--out <folder>', 'folder of the new run', 'runs/finetune')
    .option('--bundle <folder>', 'folder of the new bundle (default: OUT/bundle)')
    .option('--robot <folder>', "the robot's folder, if it has moved since")
    .option('--seed <n>', 'everything random follows from it', wholeNumber)
    .option('--steps <n>', `simulated steps beside the logs (default: ${finetuneDefaults.steps})`, wholeNumber)
    .option(
      '--logged-share <x>',
      `share of each batch that is logged (default: ${finetuneDefaults.loggedShare}; 1: logs alone)`,
      positiveNumber,
    )
    .action(async (flags: FinetuneFlags) => {
      const line = new ProgressLine(context.io);
      try {
        const { out, bundle = `${out}/bundle`, ...rest } = flags;
        const outcome = await finetune({
          ...rest,
          out,
          bundle,
          onProgress: (progress: TrainingProgress) => line.show(() => trainingLine(progress)),
          signal: context.signal,
        });
        line.done();
        context.result(outcome, () =>
          [
            `learnt on from ${outcome.transitions} logged transitions of ${outcome.episodes} episodes: ${outcome.updates} updates in ${duration(outcome.seconds)}`,
            `new bundle ${outcome.bundle.folder}`,
            `next: kit deploy ${outcome.bundle.folder} --to robot`,
          ].join('\n'),
        );
      } finally {
        line.done();
      }
    });
};
