/**
 * Trains a policy: makes engine, replay and threads, runs the loop of learning-run.ts, and takes all down again. It knows environments
 * only as recipes and the learner only as an engine.
 */
import { Random } from '@sim2servo/models/random';
import { compileActors } from './acting.js';
import type { Sizes } from './algorithms/algorithm.js';
import { type SacConfig, sac } from './algorithms/sac.js';
import type { JudgedPolicy, PolicyCheckpoint, RunCheckpoint } from './checkpoint.js';
import { Collector } from './collector.js';
import { createEngine } from './engine/create-engine.js';
import type { EnvironmentRecipe } from './environment-recipe.js';
import { type Evaluation, Evaluator } from './evaluator.js';
import { LearningRun } from './learning-run.js';
import type { Scalars } from './metrics/metrics-log.js';
import type { ObservationNormaliser } from './observation-normaliser.js';
import { PolicyJudge } from './policy-judge.js';
import { ReplayBuffer } from './replay/replay-buffer.js';
import type { LoopConfig } from './training-config.js';

export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  readonly updates: number;
  readonly stepsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly etaS: number;
  /** Mean return of the last hundred training episodes, NaN before the first. */
  readonly episodeReturn: number;
  /** Of the last evaluation that is done. */
  readonly evaluation?: Evaluation | undefined;
}

/** Where a run starts when it does not start from nothing: fine-tuning. */
export interface Start {
  /** By the engine's names; what is absent is drawn anew: a new ensemble of critics fits no old ones. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly normaliser: ObservationNormaliser;
  /** Transitions from logs, and which share of each batch they make. */
  readonly logged: ReplayBuffer;
  readonly loggedShare: number;
}

export interface LearnOptions {
  readonly loop: LoopConfig;
  readonly sizes: Sizes;
  readonly sac: SacConfig;
  readonly environment: EnvironmentRecipe;
  readonly evaluation: {
    readonly environment: EnvironmentRecipe;
    /** Steps at the end of an episode over which the task's error is averaged. */
    readonly errorWindow: number;
    readonly reachedM: number;
  };
  readonly start?: Start;
  /** Which policy is handed to `onBest`: that of the best evaluation, or the average of the newest ones, where the evaluation cannot know better. */
  readonly keep?: 'best' | 'average';
  readonly resume?: RunCheckpoint;
  readonly onMetrics?: (step: number, scalars: Scalars) => void;
  readonly onBest: (checkpoint: PolicyCheckpoint) => void;
  readonly onCheckpoint: (checkpoint: RunCheckpoint) => void;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Ends the run at the next block, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}

export interface LearnResult {
  /** False where the signal ended it. */
  readonly finished: boolean;
  readonly step: number;
  readonly updates: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly episodeReturn: number;
  /** The policy that was kept; absent where none was evaluated. */
  readonly best: JudgedPolicy | undefined;
}

export async function learn(options: LearnOptions): Promise<LearnResult> {
  const { loop, sizes } = options;
  const seeds = new Random(loop.seed);
  const engine = await createEngine(loop.engine, sac, sizes, options.sac, seeds.fork('engine'));
  const replay = ReplayBuffer.create({
    capacity: loop.replayCapacity,
    slack: loop.blockSteps,
    observationSize: sizes.observation,
    actionSize: sizes.action,
  });
  const { evaluation, start, resume } = options;
  const actor = compileActors(sizes, options.sac);
  const seed = seeds.word();
  const collector = Collector.start({
    environment: options.environment,
    actor,
    replay,
    seed,
    state: resume?.collector,
  });
  const evaluator = Evaluator.start({ ...evaluation, actor, seed, episodes: loop.evaluationEpisodes });
  const [started, judging] = await Promise.allSettled([collector, evaluator]);
  try {
    const judge = new PolicyJudge({
      keep: options.keep ?? 'best',
      engine,
      layout: actor.stochastic.layout,
      evaluator: await evaluator,
      replay,
      onKept: options.onBest,
      onMetrics: (step, scalars) => options.onMetrics?.(step, scalars),
    });
    const run = new LearningRun(options, { engine, replay, judge, collector: await collector }, seeds.fork('learner'));
    if (start) run.startFrom(start);
    if (resume) run.resume(resume);
    return await run.go();
  } finally {
    if (started.status === 'fulfilled') await started.value.dispose();
    if (judging.status === 'fulfilled') await judging.value.dispose();
    await engine.dispose();
  }
}
