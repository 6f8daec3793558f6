/**
 * Many environments stepped at once, in worker threads, through one block of shared memory.
 *
 * No message is sent for a step: the caller writes actions and wakes the threads, they write what came of it and wake the caller. An
 * episode that ends begins anew in the same step; its true last observation stays in `nextObservation`. Which thread an environment lives
 * in makes no difference: each has a random generator of its own.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { KitError } from '@sim2servo/models/error';
import { type PackedError, unpackError } from '@sim2servo/models/packed-error';
import type { EnvironmentRecipe } from '../environment-recipe.js';
import { type VectorBlock, vectorBlock, workerStates } from './vector-block.js';
import type { VectorWorkerSetup } from './vector-worker.js';

export interface VectorOptions {
  readonly recipe: EnvironmentRecipe;
  /** Of the environment that the recipe makes. */
  readonly observationSize: number;
  readonly actionSize: number;
  /** One environment for each: all its randomness comes from `new Random(seed)`. */
  readonly seeds: readonly number[];
  /** Threads; each gets as many environments as the others, or one more. */
  readonly workers: number;
  /** A step that takes longer is given up as an error. */
  readonly stepTimeoutMs?: number;
}

interface Thread {
  readonly worker: Worker;
  /** Never started, so that what stands in it can be taken out without a turn of the event loop. */
  readonly errors: MessagePort;
}

export class VectorEnvironment {
  readonly environments: number;
  /** The rows; see {@link VectorBlock}. Write `action` before a step, read the others after it. */
  readonly rows: Omit<VectorBlock, 'states' | 'pending'>;
  readonly #states: Int32Array;
  readonly #pending: Int32Array;
  readonly #threads: readonly Thread[];
  readonly #stepTimeoutMs: number;
  #broken: KitError | undefined;

  private constructor(options: VectorOptions, block: VectorBlock, threads: readonly Thread[]) {
    this.environments = options.seeds.length;
    const { states, pending, ...rows } = block;
    this.rows = rows;
    this.#states = states;
    this.#pending = pending;
    this.#threads = threads;
    this.#stepTimeoutMs = options.stepTimeoutMs ?? 30_000;
  }

  /**
   * Makes and resets all environments: `rows.observation` holds their first observations.
   *
   * @throws KitError of the environment that could not be made; E_VECTOR_WORKERS
   */
  static async create(options: VectorOptions): Promise<VectorEnvironment> {
    const { recipe, observationSize, actionSize, seeds, workers } = options;
    if (!(Number.isInteger(workers) && workers >= 1 && workers <= seeds.length))
      throw new KitError(
        'E_VECTOR_WORKERS',
        `${seeds.length} environments can't be shared among ${workers} threads`,
        'give at least one thread, and an environment for each',
        'usage',
      );
    const shape = { environments: seeds.length, workers, observationSize, actionSize };
    const { buffer, ...block } = vectorBlock(shape);
    block.states.fill(workerStates.stepping);
    block.pending[0] = workers;
    const threads = Array.from({ length: workers }, (_, worker): Thread => {
      const { port1, port2 } = new MessageChannel();
      const [from, to] = [worker, worker + 1].map(i => Math.floor((i * seeds.length) / workers)) as [number, number];
      const setup: VectorWorkerSetup = {
        recipe,
        shape,
        buffer,
        worker,
        firstRow: from,
        seeds: seeds.slice(from, to),
        errors: port2,
      };
      const script = new URL('./vector-worker.js', import.meta.url);
      return { worker: new Worker(script, { workerData: setup, transferList: [port2] }), errors: port1 };
    });
    const made = new VectorEnvironment(options, block, threads);
    try {
      // Blocking while a thread starts could leave it waiting for this one's event loop.
      await Promise.all(threads.map(({ worker }) => readyOrOver(worker)));
      made.finish();
      return made;
    } catch (error) {
      await made.dispose();
      throw error;
    }
  }

  /** One step of every environment with the actions in `rows.action`. */
  step(): void {
    this.begin();
    this.finish();
  }

  /** Starts a step; until {@link finish} the rows are the threads'. */
  begin(): void {
    if (this.#broken) throw this.#broken;
    Atomics.store(this.#pending, 0, this.#threads.length);
    for (let worker = 0; worker < this.#threads.length; worker++) {
      Atomics.store(this.#states, worker, workerStates.stepping);
      Atomics.notify(this.#states, worker);
    }
  }

  /** Waits for the step that was begun. @throws KitError of an environment that failed, now and ever after; E_VECTOR_TIMEOUT */
  finish(): void {
    if (this.#broken) throw this.#broken;
    if (!this.#stepped()) {
      const worker = this.#states.indexOf(workerStates.stepping);
      this.#broken = new KitError(
        'E_VECTOR_TIMEOUT',
        `thread ${worker} did not finish its step within ${this.#stepTimeoutMs} ms`,
        'look for an environment that hangs, or give a larger stepTimeoutMs',
        'timeout',
      );
    }
    const failed = this.#states.indexOf(workerStates.failed);
    if (failed >= 0)
      this.#broken = unpackError(receiveMessageOnPort(this.#threads[failed]!.errors)?.message as PackedError);
    if (this.#broken) throw this.#broken;
  }

  /** Whether all threads were done in time. In a loop: a wake-up may be a late one of the step before. */
  #stepped(): boolean {
    for (;;) {
      const pending = Atomics.load(this.#pending, 0);
      if (pending === 0) return true;
      if (Atomics.wait(this.#pending, 0, pending, this.#stepTimeoutMs) === 'timed-out') return false;
    }
  }

  /** Ends all threads, also one that hangs. */
  async dispose(): Promise<void> {
    this.#broken ??= new KitError('E_VECTOR_DISPOSED', 'the environments were disposed of', 'make new ones', 'bug');
    for (const { errors } of this.#threads) errors.close();
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

/** Resolves when the thread has made its environments, or has ended with its word saying that it failed. */
function readyOrOver(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}
