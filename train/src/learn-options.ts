/** What a training is given, what it tells meanwhile, and what comes of it. */

import type { EnvironmentRecipe } from '@sim2servo/sim/environment-recipe';
import type { Sizes } from './algorithms/algorithm.js';
import type { SacConfig } from './algorithms/sac.js';
import type { JudgedPolicy, PolicyCheckpoint, RunCheckpoint } from './checkpoint.js';
import type { Evaluation } from './evaluator.js';
import type { Scalars } from './metrics/metrics-log.js';
import type { ObservationNormaliser } from './observation-normaliser.js';
import type { Logged } from './replay/mixer.js';
import type { LoopConfig } from './training-config.js';

/** The side that takes most of a block's time, or `both` where they take about the same. */
export type Bottleneck = 'environment' | 'learner' | 'both';

export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  readonly updates: number;
  readonly stepsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly etaS: number;
  /** What a block of the run waits for now; undefined before learning starts. */
  readonly bottleneck?: Bottleneck | undefined;
  /** Mean return of the last hundred training episodes, NaN before the first. */
  readonly episodeReturn: number;
  /** Of the last evaluation that is done. */
  readonly evaluation?: Evaluation | undefined;
}

/** Where a run starts when it does not start from nothing: fine-tuning, or the same task at another rate. */
export interface Start {
  /** By the engine's names; what is absent is drawn anew: a new ensemble of critics fits no old ones. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly normaliser: ObservationNormaliser;
  readonly logged?: Logged;
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
