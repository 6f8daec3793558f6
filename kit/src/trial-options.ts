/** What somebody wants otherwise of a trial, each with a reason that stays in the robot's history. */
import type { DeployOptions } from '@sim2servo/deploy/targets/deploy-bundle';
import { unprintable } from '@sim2servo/models/printable';
import { type Command, InvalidArgumentError } from 'commander';

export interface TrialFlags {
  readonly skipShadow?: string;
  readonly skipLimited?: string;
  readonly retryBad?: string;
}

const longest = 500;

/** Words that somebody finds in the history later. */
export function reason(text: string): string {
  const words = text.trim();
  if (words === '' || words.length > longest || unprintable.test(words))
    throw new InvalidArgumentError(`A reason is one line of 1 to ${longest} characters, without control characters.`);
  return words;
}

export function trialOptions(command: Command): Command {
  return command
    .option(
      '--skip-shadow <reason>',
      'do not let it infer beside the old policy first; the reason stays in the history',
      reason,
    )
    .option('--skip-limited <reason>', 'do not limit its speed at first; the reason stays in the history', reason)
    .option(
      '--retry-bad <reason>',
      'have a policy tried again that failed on this robot, from the beginning; the reason stays in the history',
      reason,
    );
}

export function trialWishes({
  skipShadow,
  skipLimited,
  retryBad,
}: TrialFlags): Pick<DeployOptions, 'skip' | 'retryBad'> {
  return {
    skip: {
      ...(skipShadow !== undefined && { shadow: skipShadow }),
      ...(skipLimited !== undefined && { limited: skipLimited }),
    },
    ...(retryBad !== undefined && { retryBad }),
  };
}
