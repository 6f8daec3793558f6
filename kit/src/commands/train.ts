/** `kit train`: learn a task in simulation. */
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { sac } from '@sim2servo/train/algorithms/sac';
import { choiceLine, chooseEngine } from '@sim2servo/train/engine/choose-engine';
import { createEngine } from '@sim2servo/train/engine/create-engine';
import { engineNamed } from '@sim2servo/train/engine/engine-named';
import type { TrainingProgress } from '@sim2servo/train/learn-options';
import { type RunOutcome, resumeRun, sizesOf, trainRun } from '@sim2servo/train/train-run';
import { defaultTrainingConfig, parseTrainingConfig, type TrainingConfig } from '@sim2servo/train/training-config';
import type { AddCommand, CommandContext } from '../command-context.js';
import { wholeNumber } from '../number-option.js';
import { duration, ProgressLine } from '../progress-line.js';

interface TrainOptions {
  readonly robot: string;
  readonly task: string;
  readonly steps?: number;
  readonly seed: number;
  readonly out?: string;
  readonly resume?: string;
  readonly engine?: string;
  readonly updatesPerCall?: number;
}

export function trainingLine(progress: TrainingProgress): string {
  const { evaluation } = progress;
  const error = evaluation === undefined ? '' : `, error ${(evaluation.deterministic.meanErrorM * 1000).toFixed(1)} mm`;
  return (
    `step ${progress.step} of ${progress.steps}  ${progress.stepsPerSecond.toFixed(0)} steps/s  ` +
    `${progress.updatesPerSecond.toFixed(0)} updates/s  return ${Number.isNaN(progress.episodeReturn) ? 'not known yet' : progress.episodeReturn.toFixed(1)}${error}  ` +
    `${Number.isFinite(progress.etaS) ? `${duration(progress.etaS)} left` : ''}`
  );
}

type LoopEngine = Pick<TrainingConfig['loop'], 'engine' | 'updatesPerCall'>;

/** The engine that `--engine` names; `auto` measures, and says what it found. */
async function loopEngine(options: TrainOptions, config: TrainingConfig, context: CommandContext): Promise<LoopEngine> {
  const { updatesPerCall } = options;
  if (options.engine !== 'auto')
    return {
      engine: engineNamed(options.engine ?? config.loop.engine),
      ...(updatesPerCall !== undefined && { updatesPerCall }),
    };
  if (updatesPerCall !== undefined)
    throw new KitError(
      'E_UPDATES_PER_CALL',
      `--engine auto finds the updates to a call by itself, and --updates-per-call says ${updatesPerCall}.`,
      'Leave one of them out.',
      'usage',
    );
  const choice = await chooseEngine(sac, sizesOf(loadRobot(config.robot).spec), config.sac);
  context.io.err(choiceLine(choice));
  return {
    engine: choice.engine,
    ...(choice.updatesPerCall !== undefined && { updatesPerCall: choice.updatesPerCall }),
  };
}

async function newRun(options: TrainOptions, context: CommandContext): Promise<TrainingConfig> {
  const drawn = trainingConfig(options);
  const loop = { ...drawn.loop, ...(await loopEngine(options, drawn, context)) };
  const config = parseTrainingConfig({ ...drawn, loop }, 'command line');
  // Started once before there is a run folder: what it lacks is an error that leaves nothing behind.
  const sizes = sizesOf(loadRobot(config.robot).spec);
  const engine = await createEngine(loop.engine, sac, sizes, config.sac, new Random(0), loop.updatesPerCall);
  await engine.dispose();
  return config;
}

export function trainingConfig(options: TrainOptions): TrainingConfig {
  loadRobot(options.robot);
  taskNamed(options.task);
  const { loop } = defaultTrainingConfig;
  return parseTrainingConfig(
    {
      ...defaultTrainingConfig,
      robot: options.robot,
      task: options.task,
      loop: { ...loop, seed: options.seed, steps: options.steps ?? loop.steps },
    },
    'command line',
  );
}

export const addTrain: AddCommand = (program, context) => {
  program
    .command('train')
    .description('learn a task in simulation (MuJoCo, Soft Actor-Critic)')
    .option('--robot <name>', 'shipped robot or robot folder', defaultTrainingConfig.robot)
    .option('--task <name>', 'what to learn', defaultTrainingConfig.task)
    .option('--steps <n>', `environment steps in all (default: ${defaultTrainingConfig.loop.steps})`, wholeNumber)
    .option('--seed <n>', 'everything random follows from it', wholeNumber, 0)
    .option('--out <folder>', 'run folder (default: runs/ROBOT-TASK-SEED)')
    .option(
      '--engine <name>',
      'what runs the updates: cpu, webgpu, cuda, coreml, dml, tfjs-node-gpu, wasm, auto (default: cpu)',
    )
    .option('--updates-per-call <n>', 'updates that a fused engine (webgpu, cuda, …) makes at once', wholeNumber)
    .option('--resume <folder>', 'go on with a run that was stopped, bit for bit')
    .action(async (options: TrainOptions) => {
      if (options.resume !== undefined && (options.engine !== undefined || options.updatesPerCall !== undefined))
        throw new KitError(
          'E_RESUME_ENGINE',
          `${options.resume} goes on with the engine that it began with: another one rounds otherwise.`,
          'Leave --engine and --updates-per-call out.',
          'usage',
        );
      const line = new ProgressLine(context.io);
      const run = {
        onProgress: (progress: TrainingProgress) => line.show(() => trainingLine(progress)),
        signal: context.signal,
      };
      let outcome: RunOutcome;
      try {
        outcome =
          options.resume === undefined
            ? await trainRun(
                await newRun(options, context),
                options.out ?? `runs/${options.robot}-${options.task}-${options.seed}`,
                run,
              )
            : await resumeRun(options.resume, { ...run, steps: options.steps });
      } finally {
        line.done();
      }
      report(outcome, context);
    });
};

function report(outcome: RunOutcome, context: CommandContext): void {
  const { best, folder } = outcome;
  if (best === undefined && outcome.finished)
    throw new KitError(
      'E_TRAIN_TOO_SHORT',
      `${outcome.step} steps were too few for a single evaluation`,
      'train for longer with --steps',
      'usage',
    );
  const value = {
    run: folder.path,
    finished: outcome.finished,
    steps: outcome.step,
    updates: outcome.updates,
    seconds: outcome.seconds,
    stepsPerSecond: outcome.stepsPerSecond,
    updatesPerSecond: outcome.updatesPerSecond,
    ...(best && { best: { step: best.step, ...best.evaluation.deterministic } }),
  };
  context.result(value, () =>
    [
      `${outcome.finished ? 'Trained' : 'Stopped after'} ${outcome.step} steps, ${outcome.updates} updates in ${duration(outcome.seconds)}`,
      best === undefined
        ? 'no evaluation yet'
        : `best policy: step ${best.step}, return ${best.evaluation.deterministic.meanReturn.toFixed(1)}, fingertip error ${(best.evaluation.deterministic.meanErrorM * 1000).toFixed(1)} mm`,
      `run folder: ${folder.path}`,
      outcome.finished
        ? `next: kit export ${folder.path} policy`
        : `everything is saved; go on with: ${outcome.resumeHint}`,
    ].join('\n'),
  );
}
