/**
 * A thread of a vector of environments: steps the rows that are its own, whenever its word in the shared memory says so.
 *
 * After it has said that it is ready it never returns to its event loop: between two steps it waits for that word.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import type { EnvironmentRecipe } from '../environment-recipe.js';
import { RepeatedWait } from './repeated-wait.js';
import { type VectorShape, vectorBlock, workerStates } from './vector-block.js';
import { makeRows, type VectorShare } from './vector-row.js';

export interface VectorWorkerSetup {
  readonly recipe: EnvironmentRecipe;
  readonly shape: VectorShape;
  readonly buffer: SharedArrayBuffer;
  readonly worker: number;
  readonly share: VectorShare;
  /** Whether it may look for its next step before it sleeps. */
  readonly mayLook: boolean;
  /** Where an error goes before the word says `failed`. */
  readonly errors: MessagePort;
}

const { recipe, shape, buffer, worker, share, mayLook, errors } = workerData as VectorWorkerSetup;
const block = vectorBlock(shape, buffer);

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
  const rows = await makeRows(recipe, shape, share, block);
  const wait = new RepeatedWait(mayLook);
  const isStep = (state: number) => state === workerStates.stepping;
  over(workerStates.idle);
  parentPort?.postMessage('ready');
  for (;;) {
    wait.until(block.states, worker, isStep, Number.POSITIVE_INFINITY);
    for (const row of rows) row.step();
    over(workerStates.idle);
  }
} catch (error) {
  fail(error);
}
