/**
 * A thread of a vector of environments: steps the rows that are its own, whenever its word in the shared memory says so.
 *
 * After it has said that it is ready it never returns to its event loop: between two steps it sleeps on that word.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import { Random } from '@sim2servo/models/random';
import type { Environment } from '../environment.js';
import { createEnvironment, type EnvironmentRecipe } from '../environment-recipe.js';
import { type VectorBlock, type VectorShape, vectorBlock, workerStates } from './vector-block.js';

export interface VectorWorkerSetup {
  readonly recipe: EnvironmentRecipe;
  readonly shape: VectorShape;
  readonly buffer: SharedArrayBuffer;
  readonly worker: number;
  /** Its first row; it has one for each seed. */
  readonly firstRow: number;
  readonly seeds: readonly number[];
  /** Where an error goes before the word says `failed`. */
  readonly errors: MessagePort;
}

/** One environment with its row of the shared memory. */
class Row {
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
    this.#executedAction.set(environment.executedAction);
    this.#nextObservation.set(environment.observation);
    if (terminated || truncated) environment.reset(this.#random);
    this.#observation.set(environment.observation);
  }
}

async function prepare({ recipe, shape, firstRow, seeds }: VectorWorkerSetup, block: VectorBlock): Promise<Row[]> {
  const { observationSize, actionSize } = shape;
  const rows: Row[] = [];
  for (const [i, seed] of seeds.entries()) {
    const environment = await createEnvironment(recipe);
    if (environment.observationSize !== observationSize || environment.actionSize !== actionSize)
      throw new KitError(
        'E_VECTOR_SIZE',
        `the environment has ${environment.observationSize} observations and ${environment.actionSize} actions, not ${observationSize} and ${actionSize}`,
        'give the sizes of the environment that the recipe makes',
        'bug',
      );
    rows.push(new Row(environment, new Random(seed), block, firstRow + i));
  }
  return rows;
}

const setup = workerData as VectorWorkerSetup;
const { worker, errors } = setup;
const block = vectorBlock(setup.shape, setup.buffer);

/** The step is over for this thread, for good or ill. */
function over(state: number): void {
  Atomics.store(block.states, worker, state);
  if (Atomics.sub(block.pending, 0, 1) === 1) Atomics.notify(block.pending, 0);
}

function fail(error: unknown): void {
  errors.postMessage(packError(error, 'E_VECTOR'));
  over(workerStates.failed);
}

// An environment that ends the thread would else leave the caller waiting.
process.once('exit', () => {
  if (Atomics.load(block.states, worker) === workerStates.stepping)
    fail(new KitError('E_VECTOR_EXIT', 'an environment ended its thread in the middle of a step', 'mend it', 'bug'));
});

try {
  const rows = await prepare(setup, block);
  over(workerStates.idle);
  parentPort?.postMessage('ready');
  for (;;) {
    // In a loop: the caller's wake-up may come late, when this thread saw the word by itself and is done already.
    while (Atomics.load(block.states, worker) === workerStates.idle)
      Atomics.wait(block.states, worker, workerStates.idle);
    for (const row of rows) row.step();
    over(workerStates.idle);
  }
} catch (error) {
  fail(error);
}
