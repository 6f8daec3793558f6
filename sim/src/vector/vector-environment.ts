/**
 * Many environments stepped at once, in worker threads and the caller's own, through one block of shared memory.
 *
 * No message is sent for a step: the caller writes actions and sets a word for each thread, they write what came of it and count down
 * another. An episode that ends begins anew in the same step; its true last observation stays in `nextObservation`. Which thread an
 * environment lives in makes no difference: each has a random generator of its own.
 *
 * Being woken would cost more than many a step, so all look for a while before they sleep (repeated-wait.ts), where each has a core. Hence
 * a caller with nothing else to do takes a share, and there is one worker fewer than cores.
 */
import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { KitError } from '@sim2servo/models/error';
import { type PackedError, packError, unpackError } from '@sim2servo/models/packed-error';
import type { EnvironmentRecipe } from '../environment-recipe.js';
import { RepeatedWait } from './repeated-wait.js';
import { type VectorBlock, vectorBlock, workerStates } from './vector-block.js';
import { makeRows, type VectorRow, type VectorShare } from './vector-row.js';
import type { VectorWorkerSetup } from './vector-worker.js';

export interface VectorOptions {
  readonly recipe: EnvironmentRecipe;
  /** Of the environment that the recipe makes. */
  readonly observationSize: number;
  readonly actionSize: number;
  /** One environment for each: all its randomness comes from `new Random(seed)`. */
  readonly seeds: readonly number[];
  /** Worker threads. Whoever steps gets as many environments as the others, or one more. */
  readonly workers: number;
  /** Whether {@link VectorEnvironment.finish} steps a share in the caller's thread: for who has nothing else to do. Default: false. */
  readonly callerSteps?: boolean;
  /** A step that workers take longer for is given up as an error. Nothing guards the caller's own share. */
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
  /** The caller's share. */
  readonly #own: VectorRow[];
  readonly #wait: RepeatedWait;
  readonly #stepTimeoutMs: number;
  #underWay = false;
  #broken: KitError | undefined;

  private constructor(
    options: VectorOptions,
    block: VectorBlock,
    threads: readonly Thread[],
    own: VectorRow[],
    mayLook: boolean,
  ) {
    this.environments = options.seeds.length;
    const { states, pending, ...rows } = block;
    this.rows = rows;
    this.#states = states;
    this.#pending = pending;
    this.#threads = threads;
    this.#own = own;
    this.#wait = new RepeatedWait(mayLook);
    this.#stepTimeoutMs = options.stepTimeoutMs ?? 30_000;
  }

  /**
   * Makes and resets all environments: `rows.observation` holds their first observations.
   *
   * @throws KitError of the environment that could not be made; E_VECTOR_WORKERS
   */
  static async create(options: VectorOptions): Promise<VectorEnvironment> {
    const { recipe, observationSize, actionSize, seeds, workers, callerSteps = false } = options;
    const steppers = workers + Number(callerSteps);
    if (!(Number.isInteger(workers) && workers >= 0 && steppers >= 1 && steppers <= seeds.length))
      throw new KitError(
        'E_VECTOR_WORKERS',
        `${seeds.length} environments can't be shared among ${workers} threads${callerSteps ? ' and the caller' : ''}`,
        'give at least one thread, and an environment for each',
        'usage',
      );
    const shape = { environments: seeds.length, workers, observationSize, actionSize };
    const { buffer, ...block } = vectorBlock(shape);
    block.states.fill(workerStates.stepping);
    block.pending[0] = workers;
    const mayLook = workers + 1 <= availableParallelism();
    const [callersShare, ...shares] = sharesOf(seeds, workers, callerSteps);
    const own = await makeRows(recipe, shape, callersShare!, block);
    const threads = shares.map((share, worker): Thread => {
      const { port1, port2 } = new MessageChannel();
      const setup: VectorWorkerSetup = { recipe, shape, buffer, worker, share, mayLook, errors: port2 };
      const script = new URL('./vector-worker.js', import.meta.url);
      return { worker: new Worker(script, { workerData: setup, transferList: [port2] }), errors: port1 };
    });
    const made = new VectorEnvironment(options, block, threads, own, mayLook);
    try {
      // Blocking while a thread starts could leave it waiting for this one's event loop.
      await Promise.all(threads.map(({ worker }) => readyOrOver(worker)));
      made.#waitForWorkers();
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

  /** Starts a step; until {@link finish} the rows are the threads'. @throws KitError E_VECTOR_ORDER where one is under way */
  begin(): void {
    this.#expect(false);
    this.#underWay = true;
    Atomics.store(this.#pending, 0, this.#threads.length);
    for (let worker = 0; worker < this.#threads.length; worker++) {
      Atomics.store(this.#states, worker, workerStates.stepping);
      Atomics.notify(this.#states, worker);
    }
  }

  /**
   * Steps the caller's share, and waits for the others of the step that was begun.
   *
   * @throws KitError of an environment that failed, now and ever after; E_VECTOR_TIMEOUT; E_VECTOR_ORDER where none was begun
   */
  finish(): void {
    this.#expect(true);
    try {
      for (const row of this.#own) row.step();
    } catch (error) {
      // As it would come out of a worker.
      this.#broken = unpackError(packError(error, 'E_VECTOR'));
      throw this.#broken;
    }
    this.#waitForWorkers();
    this.#underWay = false;
  }

  #expect(underWay: boolean): void {
    if (this.#broken) throw this.#broken;
    if (this.#underWay !== underWay)
      throw new KitError(
        'E_VECTOR_ORDER',
        underWay ? 'finish() without a begin()' : 'begin() while a step is under way',
        'call begin() and finish() in turns',
        'bug',
      );
  }

  #waitForWorkers(): void {
    if (!this.#wait.until(this.#pending, 0, noneIsLeft, this.#stepTimeoutMs)) {
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

  /** Ends all threads, also one that hangs. */
  async dispose(): Promise<void> {
    this.#broken ??= new KitError('E_VECTOR_DISPOSED', 'the environments were disposed of', 'make new ones', 'bug');
    for (const { errors } of this.#threads) errors.close();
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
    for (const row of this.#own.splice(0)) row.dispose();
  }
}

const noneIsLeft = (pending: number) => pending === 0;

/** The caller's share, which may be empty, then each worker's. Where they differ by one the caller has the smaller: it has the rest to do. */
function sharesOf(seeds: readonly number[], workers: number, callerSteps: boolean): VectorShare[] {
  const steppers = workers + Number(callerSteps);
  const start = (i: number) => Math.floor((i * seeds.length) / steppers);
  const shares = Array.from({ length: steppers }, (_, i) => ({
    firstRow: start(i),
    seeds: seeds.slice(start(i), start(i + 1)),
  }));
  return callerSteps ? shares : [{ firstRow: 0, seeds: [] }, ...shares];
}

/** Resolves when the thread has made its environments, or has ended with its word saying that it failed. */
function readyOrOver(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}
