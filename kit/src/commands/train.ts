/** `kit train`: learn a robot's task in simulation, or one of Gymnasium's, to see how well the learner does. */
import { resolve } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNames } from '@sim2servo/models/tasks/task-named';
import { gymTasks } from '@sim2servo/sim/gym/gym-task-named';
import { sac } from '@sim2servo/train/algorithms/sac';
import { choiceLine, chooseEngine } from '@sim2servo/train/engine/choose-engine';
import { createEngine } from '@sim2servo/train/engine/create-engine';
import { engineNamed } from '@sim2servo/train/engine/engine-named';
import type { EpisodeSummary } from '@sim2servo/train/episodes';
import type { TrainingProgress } from '@sim2servo/train/learn-options';
import { openPolicySource, type PolicySource } from '@sim2servo/train/policy-source';
import { robotRecipe } from '@sim2servo/train/robot-recipe';
import { threadsThatPay } from '@sim2servo/train/threads-that-pay';
import { type RunOutcome, resumeRun, trainRun } from '@sim2servo/train/train-run';
import {
  defaultGymTrainingConfig,
  defaultTrainingConfig,
  isRobotTraining,
  parseTrainingConfig,
  type TrainingConfig,
} from '@sim2servo/train/training-config';
import { worldOf } from '@sim2servo/train/training-world';
import type { AddCommand, CommandContext } from '../command-context.js';
import { positiveNumber, wholeNumber } from '../number-option.js';
import { duration, ProgressLine } from '../progress-line.js';

interface TrainOptions {
  readonly robot?: string;
  readonly task: string;
  readonly scene?: string;
  readonly rate?: number;
  readonly steps?: number;
  readonly threads?: number;
  readonly seed: number;
  readonly out?: string;
  readonly from?: string;
  readonly resume?: string;
  readonly engine?: string;
  readonly updatesPerCall?: number;
}

export function trainingLine(progress: TrainingProgress): string {
  const { evaluation } = progress;
  const evaluated = evaluation === undefined ? '' : `, evaluated ${quality(evaluation.deterministic)}`;
  return (
    `step ${progress.step} of ${progress.steps}  ${progress.stepsPerSecond.toFixed(0)} steps/s  ` +
    `${progress.updatesPerSecond.toFixed(0)} updates/s${progress.bottleneck === undefined ? '' : ` (limit: ${progress.bottleneck})`}  return ${Number.isNaN(progress.episodeReturn) ? 'not known yet' : progress.episodeReturn.toFixed(1)}${evaluated}  ` +
    `${Number.isFinite(progress.etaS) ? `${duration(progress.etaS)} left` : ''}`
  );
}

/** The task's error where it has one, else the return. */
function quality({ meanErrorM, meanReturn }: EpisodeSummary): string {
  return Number.isNaN(meanErrorM) ? `return ${meanReturn.toFixed(1)}` : `error ${(meanErrorM * 1000).toFixed(1)} mm`;
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
  const choice = await chooseEngine(sac, worldOf(config).sizes, config.sac, { threads: config.loop.threads });
  context.io.err(choiceLine(choice));
  return {
    engine: choice.engine,
    ...(choice.updatesPerCall !== undefined && { updatesPerCall: choice.updatesPerCall }),
  };
}

/** What a run begins with. */
function parentOf({ robot, task }: TrainOptions, from: string): PolicySource {
  if (!taskNames.includes(task))
    throw new KitError('E_TASK_FROM', `${task} has no robot, and no policy to begin with`, 'leave out --from', 'usage');
  return openPolicySource(from, robot ?? defaultTrainingConfig.robot);
}

async function newRun(
  options: TrainOptions,
  context: CommandContext,
  source: PolicySource | undefined,
): Promise<TrainingConfig> {
  const drawn = trainingConfig(options, source);
  const picked = await loopEngine(options, drawn, context);
  // Only the split engine has threads; who asked for some is told so.
  const threads = picked.engine === 'split' ? drawn.loop.threads : (options.threads ?? 1);
  const config = parseTrainingConfig({ ...drawn, loop: { ...drawn.loop, ...picked, threads } }, 'command line');
  // Started once before there is a run folder: what it lacks is an error that leaves nothing behind.
  const engine = await createEngine(picked.engine, sac, worldOf(config).sizes, config.sac, new Random(0), config.loop);
  await engine.dispose();
  return config;
}

export function trainingConfig(options: TrainOptions, source?: PolicySource): TrainingConfig {
  const { task, scene } = options;
  const ofGym = gymTasks.some(known => known.name === task);
  if (!ofGym && !taskNames.includes(task))
    throw new KitError(
      'E_TASK_UNKNOWN',
      `there is no task '${task}'`,
      `choose one of: ${[...taskNames, ...gymTasks.map(known => known.name)].join(', ')}`,
      'usage',
    );
  if (ofGym && options.robot !== undefined)
    throw new KitError(
      'E_TASK_ROBOT',
      `${task} has no robot, not '${options.robot}' either`,
      'leave out --robot',
      'usage',
    );
  if (!ofGym && scene !== undefined)
    throw new KitError(
      'E_TASK_SCENE',
      `--scene ${scene} is for gym tasks; a robot's scene stands in its robot.json`,
      'leave out --scene',
      'usage',
    );
  const robot = options.robot ?? defaultTrainingConfig.robot;
  if (ofGym && options.rate !== undefined)
    throw new KitError(
      'E_TASK_RATE',
      `${task} has its own rate, and --rate says ${options.rate}`,
      'leave out --rate',
      'usage',
    );
  const defaults = ofGym
    ? { ...defaultGymTrainingConfig, task }
    : robotRecipe(robot, loadRobot(robot).spec, task, options.rate, source !== undefined);
  return parseTrainingConfig(
    {
      ...defaults,
      ...(source !== undefined && { startedFrom: source.digest ?? source.path }),
      ...(scene !== undefined && { scene: resolve(scene) }),
      loop: {
        ...defaults.loop,
        seed: options.seed,
        steps: options.steps ?? defaults.loop.steps,
        threads: options.threads ?? threadsThatPay(defaults.sac),
      },
    },
    'command line',
  );
}

/** `runs/desk2-reach-0`, `runs/gym-Reacher-v5-0` */
function runFolder(config: TrainingConfig): string {
  const world = isRobotTraining(config) ? `${config.robot}-${config.task}` : config.task.replace('/', '-');
  return `runs/${world}-${config.loop.seed}`;
}

export const addTrain: AddCommand = (program, context) => {
  program
    .command('train')
    .description('learn a task in simulation (MuJoCo, Soft Actor-Critic)')
    .option('--robot <name>', `shipped robot or robot folder (default: ${defaultTrainingConfig.robot})`)
    .option(
      '--task <name>',
      `what to learn: ${taskNames.join(', ')}, or a task of Gymnasium's, such as ${defaultGymTrainingConfig.task}`,
      defaultTrainingConfig.task,
    )
    .option('--rate <hz>', "control steps a second of a robot's policy (default: 50)", positiveNumber)
    .option('--scene <file>', "MJCF file instead of a Gymnasium task's own")
    .option(
      '--steps <n>',
      `environment steps in all (default: ${defaultTrainingConfig.robot} ${defaultTrainingConfig.loop.steps}, Gymnasium's tasks ${defaultGymTrainingConfig.loop.steps}, an arm that moves in space more)`,
      wholeNumber,
    )
    .option('--threads <n>', 'threads that learn (default: as many as pay on this machine)', wholeNumber)
    .option('--seed <n>', 'everything random follows from it', wholeNumber, 0)
    .option('--out <folder>', 'run folder (default: runs/ROBOT-TASK-SEED, or runs/TASK-SEED)')
    .option(
      '--engine <name>',
      'what runs the updates: cpu, webgpu, cuda, coreml, dml, tfjs-node-gpu, wasm, auto (default: cpu)',
    )
    .option('--updates-per-call <n>', 'updates that a fused engine (webgpu, cuda, …) makes at once', wholeNumber)
    .option('--from <policy>', 'bundle or run whose policy and critics to begin with, of another rate for instance')
    .option('--resume <folder>', 'go on with a run that was stopped, bit for bit')
    .action(async (options: TrainOptions) => {
      const { engine, updatesPerCall, threads } = options;
      if (options.resume !== undefined && options.from !== undefined)
        throw new KitError(
          'E_RESUME_FROM',
          `${options.resume} goes on from its own checkpoint, and --from names ${options.from}`,
          'Leave one of them out.',
          'usage',
        );
      if (options.resume !== undefined && [engine, updatesPerCall, threads].some(given => given !== undefined))
        throw new KitError(
          'E_RESUME_ENGINE',
          `${options.resume} goes on with the engine and the threads that it began with: others round otherwise.`,
          'Leave --engine, --updates-per-call and --threads out.',
          'usage',
        );
      const line = new ProgressLine(context.io);
      line.answer(
        context.signal,
        'stopping: an evaluation that is under way ends first (up to half a minute), then everything is saved',
      );
      const run = {
        onProgress: (progress: TrainingProgress) => line.show(() => trainingLine(progress)),
        onWarning: (warning: string) => context.io.err(`warning: ${warning}`),
        signal: context.signal,
      };
      let outcome: RunOutcome;
      try {
        if (options.resume === undefined) {
          const source = options.from === undefined ? undefined : parentOf(options, options.from);
          const config = await newRun(options, context, source);
          outcome = await trainRun(config, options.out ?? runFolder(config), run, source?.weights);
        } else outcome = await resumeRun(options.resume, { ...run, steps: options.steps });
      } finally {
        line.done();
      }
      report(outcome, context);
    });
};

function report(outcome: RunOutcome, context: CommandContext): void {
  const { best, folder, unsaved } = outcome;
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
    ...(unsaved.length > 0 && { unsaved }),
    ...(best && { best: { step: best.step, ...measured(best.evaluation.deterministic) } }),
  };
  context.result(value, () =>
    [
      `${outcome.finished ? 'Trained' : 'Stopped after'} ${outcome.step} steps, ${outcome.updates} updates in ${duration(outcome.seconds)}`,
      best === undefined
        ? 'no evaluation yet'
        : `best policy: step ${best.step}, ${inWords(best.evaluation.deterministic)}`,
      `run folder: ${folder.path}`,
      unsaved.length > 0
        ? `not saved: ${unsaved.join(', ')}. Make room on the disk, or mend the folder's permissions, and train again`
        : outcome.finished
          ? `next: ${isRobotTraining(outcome.config) ? `kit export ${folder.path} policy` : `kit eval ${folder.path}`}`
          : `everything is saved; go on with: ${outcome.resumeHint}`,
    ].join('\n'),
  );
  if (unsaved.length > 0) context.exit('failed');
}

/** Without what a task that has no error can't say. */
function measured(summary: EpisodeSummary): Partial<EpisodeSummary> {
  const { meanErrorM, maxErrorM, reached, ...always } = summary;
  return Number.isNaN(meanErrorM) ? always : { ...always, meanErrorM, maxErrorM, reached };
}

function inWords({ meanReturn, meanErrorM }: EpisodeSummary): string {
  const error = Number.isNaN(meanErrorM) ? '' : `, fingertip error ${(meanErrorM * 1000).toFixed(1)} mm`;
  return `return ${meanReturn.toFixed(1)}${error}`;
}
