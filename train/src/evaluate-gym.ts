/** `kit eval` of a run of one of Gymnasium's tasks: the return of the deterministic actor over seeded episodes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { createEnvironment } from '@sim2servo/sim/environment-recipe';
import { sac } from './algorithms/sac.js';
import { type EpisodeSummary, runEpisode, summarise } from './episodes.js';
import { exportActor } from './export-actor.js';
import { openOnnxPolicy } from './onnx-policy.js';
import { bestCheckpoint } from './policy-source.js';
import { openRunFolder } from './run-folder.js';
import { isRobotTraining } from './training-config.js';
import { worldOf } from './training-world.js';

export interface EvaluateGymOptions {
  /** A run folder. */
  readonly from: string;
  readonly episodes?: number;
  readonly seed?: number;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

export interface GymEvaluation extends Pick<EpisodeSummary, 'episodes' | 'meanReturn' | 'stdReturn' | 'meanLength'> {
  readonly task: string;
  readonly returns: readonly number[];
}

/** Whether `path` is the folder of such a run. @throws KitError where it is a run folder whose config can't be read */
export function isGymRun(path: string): boolean {
  return existsSync(join(path, 'config.json')) && !isRobotTraining(openRunFolder(path).config);
}

export async function evaluateGymRun(options: EvaluateGymOptions): Promise<GymEvaluation> {
  const { from, episodes = 20, seed = 0 } = options;
  const { folder, config } = openRunFolder(from);
  const { sizes, evaluation, title } = worldOf(config);
  const { engine, normaliser } = bestCheckpoint(folder, from);
  const policy = await openOnnxPolicy(exportActor(sac, sizes, config.sac, engine, normaliser), sizes);
  const environment = await createEnvironment(evaluation.environment);
  const random = new Random(seed);
  const results = [];
  try {
    while (results.length < episodes) {
      if (options.signal?.aborted)
        throw new KitError(
          'E_INTERRUPTED',
          `Stopped after ${results.length} of ${episodes} episodes.`,
          'Run it again.',
          'interrupt',
        );
      environment.reset(random);
      results.push(await runEpisode(environment, policy.act, evaluation));
      options.onProgress?.(results.length, episodes);
    }
  } finally {
    await policy.dispose();
    environment.dispose();
  }
  const { meanReturn, stdReturn, meanLength } = summarise(results, evaluation.reachedM);
  return { task: title, episodes, meanReturn, stdReturn, meanLength, returns: results.map(result => result.return) };
}
