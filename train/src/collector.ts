/**
 * The learner's handle on the collecting thread (collect-worker.ts).
 *
 * Environment and learner work at the same time, in fixed blocks: while the thread collects block k + 1 with the parameters that stood when
 * block k began its updates, the learner does those updates on what the replay held then. The lag is one block, always, so a run is a
 * function of its seed however fast either side is. Parameters go over in shared memory; the messages around a block order the memory.
 */

import type { EnvironmentRecipe } from '@sim2servo/sim/environment-recipe';
import type { CompiledActors } from './acting.js';
import type { Collected, CollectorReply, CollectorRequest, CollectorSetup, CollectorState } from './collect-worker.js';
import type { ObservationNormaliser } from './observation-normaliser.js';
import type { ReplayBuffer } from './replay/replay-buffer.js';
import { WorkerTurns } from './worker-turns.js';

export type { CollectorState } from './collect-worker.js';

export interface CollectorOptions {
  readonly environment: EnvironmentRecipe;
  readonly actor: CompiledActors;
  /** Its slack must hold one block. */
  readonly replay: ReplayBuffer;
  readonly seed: number;
  readonly state?: CollectorState | undefined;
}

export class Collector {
  readonly #turns: WorkerTurns<CollectorRequest, CollectorReply>;
  readonly #normaliser: Float32Array;
  /** Where the learner writes the actor's parameters between two blocks. */
  readonly parameters: Float32Array;

  private constructor(
    turns: WorkerTurns<CollectorRequest, CollectorReply>,
    parameters: Float32Array,
    normaliser: Float32Array,
  ) {
    this.#turns = turns;
    this.parameters = parameters;
    this.#normaliser = normaliser;
  }

  static async start(options: CollectorOptions): Promise<Collector> {
    const { environment, actor, replay, seed, state } = options;
    const parameters = new SharedArrayBuffer(actor.stochastic.layout.length * 4);
    const normaliser = new SharedArrayBuffer(replay.shared.observationSize * 8);
    const setup: CollectorSetup = {
      environment,
      actor,
      replay: replay.shared,
      parameters,
      normaliser,
      seed,
      ...(state && { state }),
    };
    const turns = await WorkerTurns.start<CollectorRequest, CollectorReply>(
      new URL('./collect-worker.js', import.meta.url),
      setup,
    );
    return new Collector(turns, new Float32Array(parameters), new Float32Array(normaliser));
  }

  /** What observations go through before they reach the actor. Only between blocks. */
  setNormaliser({ mean, std }: ObservationNormaliser): void {
    this.#normaliser.set(mean);
    this.#normaliser.set(std, mean.length);
  }

  /** Collects `steps` transitions; resolves when they stand in the replay, not yet committed, with the time that the thread took. */
  async collect(steps: number, uniform: boolean): Promise<number> {
    return ((await this.#turns.ask({ kind: 'collect', steps, uniform })) as Collected).spentMs;
  }

  /** The thread's environment and random generators, between blocks. */
  async save(): Promise<CollectorState> {
    return (await this.#turns.ask({ kind: 'save' })) as CollectorState;
  }

  dispose(): Promise<void> {
    return this.#turns.dispose();
  }
}
