/** `kit train` and `kit train --resume`: a training run, in a run folder. */
import { KitError } from '@sim2servo/models/error';
import { type RunCheckpoint, readRunCheckpoint } from './checkpoint.js';
import { writeCheckpoint } from './checkpoint-file.js';
import { learn } from './learn.js';
import type { LearnResult, Start, TrainingProgress } from './learn-options.js';
import { MetricsLog } from './metrics/metrics-log.js';
import { createRunFolder, openRunFolder, type RunFolder } from './run-folder.js';
import { StorageGuard } from './storage-guard.js';
import { isRobotTraining, type TrainingConfig } from './training-config.js';
import { worldOf } from './training-world.js';
import { writeFigures } from './write-figures.js';

export interface RunOptions {
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Ends the run at the next block; it can be resumed from there. */
  readonly signal?: AbortSignal;
  /** Told what can't be saved, once for each kind of file. */
  readonly onWarning?: (warning: string) => void;
}

export interface RunOutcome extends LearnResult {
  readonly folder: RunFolder;
  readonly config: TrainingConfig;
  /** What to type to go on, where the run was stopped. */
  readonly resumeHint?: string;
  /** What the disk would not take: `the checkpoint`, … */
  readonly unsaved: readonly string[];
}

/**
 * Trains in a new folder.
 *
 * @param start the policy and critics of another run of the same shapes; from nothing without
 */
export function trainRun(
  config: TrainingConfig,
  out: string,
  options: RunOptions = {},
  start?: Start,
): Promise<RunOutcome> {
  return runIn(createRunFolder(out, config), config, options, start === undefined ? {} : { start });
}

/**
 * Goes on with a run that was stopped, bit for bit as if it had not been.
 *
 * @param steps a new total, for a run that shall go further than it was meant to
 */
export function resumeRun(
  path: string,
  options: RunOptions & { readonly steps?: number | undefined } = {},
): Promise<RunOutcome> {
  const { folder, config } = openRunFolder(path);
  if (isRobotTraining(config) && config.finetune)
    throw new KitError(
      'E_RESUME_FINETUNE',
      `${folder.path} is a fine-tuning run; those are too short to be resumed.`,
      'Run kit finetune again with another --out.',
      'usage',
    );
  const checkpoint = readRunCheckpoint(folder.latestCheckpoint);
  const loop = { ...config.loop, steps: options.steps ?? config.loop.steps };
  return runIn(folder, { ...config, loop }, options, { resume: checkpoint });
}

/** The run itself, from nothing, from a checkpoint, or from a policy that is to be tuned. */
export async function runIn(
  folder: RunFolder,
  config: TrainingConfig,
  options: RunOptions,
  from: { readonly resume?: RunCheckpoint; readonly start?: Start },
): Promise<RunOutcome> {
  const world = worldOf(config);
  const finetuning = isRobotTraining(config) && config.finetune !== undefined;
  const metrics = new MetricsLog(folder.path, from.resume?.step ?? 0);
  const guard = new StorageGuard(options.onWarning ?? (() => {}));
  let saved = from.resume?.step;
  try {
    const result = await learn({
      loop: config.loop,
      sizes: world.sizes,
      sac: config.sac,
      environment: world.environment,
      evaluation: world.evaluation,
      ...from,
      ...(finetuning && { keep: 'average' as const }),
      ...(options.onProgress && { onProgress: options.onProgress }),
      signal: options.signal,
      onMetrics: (step, scalars) => guard.save('the metrics', () => metrics.write(step, scalars)),
      onBest: checkpoint => guard.save('the best policy', () => writeCheckpoint(folder.bestCheckpoint, checkpoint)),
      onCheckpoint: checkpoint =>
        guard.save('the checkpoint', () => {
          writeCheckpoint(folder.latestCheckpoint, checkpoint);
          saved = checkpoint.step;
        }),
    });
    guard.save('the figures', () => writeFigures(folder, config, world));
    return {
      ...result,
      unsaved: guard.unsaved,
      folder,
      config,
      ...(!result.finished && !finetuning && { resumeHint: `kit train --resume ${folder.path}` }),
    };
  } catch (error) {
    if (!(error instanceof KitError && error.code === 'E_DIVERGED')) throw error;
    const good =
      saved === undefined
        ? 'no checkpoint was saved yet'
        : `the last good checkpoint is that of step ${saved}, ${folder.latestCheckpoint}`;
    throw new KitError(error.code, error.message, `${good}; ${error.hint}`, error.exit, { cause: error });
  } finally {
    metrics.close();
  }
}
