/** One environment with its row of the shared memory, in whichever thread it lives. */
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import type { Environment } from '../environment.js';
import { createEnvironment, type EnvironmentRecipe } from '../environment-recipe.js';
import type { VectorBlock, VectorShape } from './vector-block.js';

/** The rows of one thread. */
export interface VectorShare {
  readonly firstRow: number;
  /** One for each row. */
  readonly seeds: readonly number[];
}

export class VectorRow {
  readonly #environment: Environment;
  readonly #random: Random;
  readonly #block: VectorBlock;
  readonly #row: number;
  readonly #action: Float32Array;
  readonly #executedAction: Float32Array;
  readonly #nextObservation: Float32Array;
  readonly #observation: Float32Array;

  constructor(environment: Environment, random: Random, block: VectorBlock, row: number) {
    const part = (all: Float32Array, width: number) => all.subarray(row * width, (row + 1) * width);
    this.#environment = environment;
    this.#random = random;
    this.#block = block;
    this.#row = row;
    this.#action = part(block.action, environment.actionSize);
    this.#executedAction = part(block.executedAction, environment.actionSize);
    this.#nextObservation = part(block.nextObservation, environment.observationSize);
    this.#observation = part(block.observation, environment.observationSize);
    environment.reset(random);
    this.#observation.set(environment.observation);
  }

  step(): void {
    const environment = this.#environment;
    const block = this.#block;
    block.reward[this.#row] = environment.step(this.#action);
    const { terminated, truncated } = environment;
    block.terminated[this.#row] = Number(terminated);
    block.truncated[this.#row] = Number(truncated);
    copy(environment.executedAction, this.#executedAction);
    copy(environment.observation, this.#nextObservation);
    if (terminated || truncated) environment.reset(this.#random);
    copy(environment.observation, this.#observation);
  }

  dispose(): void {
    this.#environment.dispose();
  }
}

/** For a handful of numbers a loop takes a fraction of what `set` does. */
function copy(from: Float32Array, to: Float32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[i]!;
}

/**
 * Makes and resets the environments of one thread.
 *
 * @throws KitError of the environment that could not be made; E_VECTOR_SIZE
 */
export async function makeRows(
  recipe: EnvironmentRecipe,
  { observationSize, actionSize }: VectorShape,
  { firstRow, seeds }: VectorShare,
  block: VectorBlock,
): Promise<VectorRow[]> {
  const environments: Environment[] = [];
  try {
    for (const _ of seeds) {
      const environment = await createEnvironment(recipe);
      environments.push(environment);
      if (environment.observationSize !== observationSize || environment.actionSize !== actionSize)
        throw new KitError(
          'E_VECTOR_SIZE',
          `the environment has ${environment.observationSize} observations and ${environment.actionSize} actions, not ${observationSize} and ${actionSize}`,
          'give the sizes of the environment that the recipe makes',
          'bug',
        );
    }
    return environments.map((environment, i) => new VectorRow(environment, new Random(seeds[i]!), block, firstRow + i));
  } catch (error) {
    for (const environment of environments) environment.dispose();
    throw error;
  }
}
