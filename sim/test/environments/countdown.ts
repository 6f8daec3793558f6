/** An environment whose every number is known: for the tests of what steps many. */
import { isMainThread } from 'node:worker_threads';
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { Environment } from '../../src/environment.js';
import type { EnvironmentRecipe } from '../../src/environment-recipe.js';

export interface CountdownOptions {
  /** What happens at step `at` (counted over all episodes), or in making the environment that would be number `at` of its thread. */
  readonly goesWrong?: 'create' | 'step' | 'bug' | 'exit' | 'hang';
  readonly at?: number;
  /** In which threads; without it in all. */
  readonly inThread?: 'main' | 'worker';
}

/** Environments of this thread that were made and not disposed of. */
export const living = { count: 0 };

export function countdown(options: CountdownOptions = {}): EnvironmentRecipe {
  return { module: import.meta.url, options: { ...options } };
}

/** Observes [steps left, what the episode drew]; an episode of an even length terminates, one of an odd length is cut. */
export async function createEnvironment(options: CountdownOptions): Promise<Environment> {
  const wrong = () => new KitError('E_COUNT', 'lost count', 'count again', 'failed');
  const here = options.inThread === undefined || (options.inThread === 'main') === isMainThread;
  const goesWrong = here ? options.goesWrong : undefined;
  if (goesWrong === 'create' && living.count + 1 === options.at) throw wrong();
  living.count++;
  let left = 0;
  let odd = false;
  let steps = 0;
  const observation = new Float32Array(2);
  const executedAction = new Float32Array(1);
  return {
    observationSize: 2,
    actionSize: 1,
    observation,
    executedAction,
    get terminated() {
      return left === 0 && !odd;
    },
    get truncated() {
      return left === 0 && odd;
    },
    error: Number.NaN,
    reset(random: Random) {
      left = 2 + random.integer(5);
      odd = left % 2 === 1;
      observation.set([left, random.uniform()]);
    },
    step(action) {
      if (++steps === options.at && goesWrong !== undefined) {
        if (goesWrong === 'exit') process.exit(3);
        if (goesWrong === 'hang') for (;;);
        throw goesWrong === 'bug' ? new TypeError('not a number') : wrong();
      }
      observation[0] = --left;
      executedAction[0] = action[0]! / 2;
      return left + 1000 * action[0]!;
    },
    save: () => ({}),
    load() {},
    dispose() {
      living.count--;
    },
  };
}
