/** Runs whole episodes with a policy and sums them up: return, length, and the task's error at the end. */
import type { Random } from '@sim2servo/models/random';
import type { Environment } from '@sim2servo/sim/environment';

/** Raw observation [observationSize] to action [actionSize]; a promise only where inference has no synchronous call. */
export type Policy = (observation: Float32Array) => Float32Array | Promise<Float32Array>;

export interface EpisodeResult {
  readonly return: number;
  readonly length: number;
  /** The task's error in m, mean over the last `errorWindow` steps; NaN where the task has none. */
  readonly errorM: number;
}

export interface EpisodeSummary {
  readonly episodes: number;
  readonly meanReturn: number;
  readonly stdReturn: number;
  readonly meanLength: number;
  readonly meanErrorM: number;
  readonly maxErrorM: number;
  /** Episodes whose error stayed below the task's `reachedM`. */
  readonly reached: number;
}

export interface EpisodeOptions {
  /** Steps at the end over which the error is averaged. */
  readonly errorWindow: number;
}

/** Runs `environment`, which has just been reset, to the end of its episode. */
export async function runEpisode(
  environment: Environment,
  policy: Policy,
  { errorWindow }: EpisodeOptions,
): Promise<EpisodeResult> {
  const errors: number[] = [];
  let total = 0;
  let length = 0;
  do {
    const action = policy(environment.observation);
    total += environment.step(action instanceof Promise ? await action : action);
    length++;
    errors.push(environment.error);
    if (errors.length > errorWindow) errors.shift();
  } while (!environment.terminated && !environment.truncated);
  return { return: total, length, errorM: mean(errors) };
}

/** `count` episodes whose starts and goals come from `random`. */
export async function runEpisodes(
  environment: Environment,
  policy: Policy,
  random: Random,
  count: number,
  options: EpisodeOptions,
): Promise<EpisodeResult[]> {
  const results: EpisodeResult[] = [];
  for (let i = 0; i < count; i++) {
    environment.reset(random);
    results.push(await runEpisode(environment, policy, options));
  }
  return results;
}

export function summarise(results: readonly EpisodeResult[], reachedM: number): EpisodeSummary {
  const returns = results.map(result => result.return);
  const errors = results.map(result => result.errorM);
  const meanReturn = mean(returns);
  return {
    episodes: results.length,
    meanReturn,
    stdReturn: Math.sqrt(mean(returns.map(value => (value - meanReturn) ** 2))),
    meanLength: mean(results.map(result => result.length)),
    meanErrorM: mean(errors),
    maxErrorM: Math.max(...errors),
    reached: errors.filter(error => error < reachedM).length,
  };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
