/** An environment whose every number is known: for the tests of what steps many. */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { Environment } from '../../src/environment.js';
import type { EnvironmentRecipe } from '../../src/environment-recipe.js';

export interface CountdownOptions {
  /** What happens at step `at` (counted over all episodes), where it happens. */
  readonly goesWrong?: 'create' | 'step' | 'exit' | 'hang';
  readonly at?: number;
}

export function countdown(options: CountdownOptions = {}): EnvironmentRecipe {
  return { module: import.meta.url, options: { ...options } };
}

/** Observes [steps left, what the episode drew]; an episode of an even length terminates, one of an odd length is cut. */
export async function createEnvironment(options: CountdownOptions): Promise<Environment> {
  const wrong = () => new KitError('E_COUNT', 'lost count', 'count again', 'failed');
  if (options.goesWrong === 'create') throw wrong();
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
      if (++steps === options.at) {
        if (options.goesWrong === 'exit') process.exit(3);
        if (options.goesWrong === 'hang') for (;;);
        throw wrong();
      }
      observation[0] = --left;
      executedAction[0] = action[0]! / 2;
      return left + 1000 * action[0]!;
    },
    save: () => ({}),
    load() {},
    dispose() {},
  };
}
