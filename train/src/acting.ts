/** An algorithm's actor for a worker thread, in both its ways: with noise it explores, without it does what will be deployed. */
import type { Sizes } from './algorithms/algorithm.js';
import { type SacConfig, sac } from './algorithms/sac.js';
import { ActorSession, type CompiledActor } from './engine/actor-session.js';
import { compileActor } from './engine/compile-actor.js';

/** Plain data: compiled where TensorFlow.js is loaded, posted to the threads that act. */
export interface CompiledActors {
  readonly stochastic: CompiledActor;
  readonly deterministic: CompiledActor;
}

export function compileActors(sizes: Sizes, config: SacConfig): CompiledActors {
  return {
    stochastic: compileActor(sac, sizes, config, 'stochastic'),
    deterministic: compileActor(sac, sizes, config, 'deterministic'),
  };
}

export class Acting {
  readonly noiseSize: number;
  readonly #stochastic: ActorSession;
  readonly #deterministic: ActorSession;
  readonly #none = new Float32Array(0);
  readonly #action: Float32Array;

  private constructor(actors: CompiledActors, stochastic: ActorSession, deterministic: ActorSession) {
    this.noiseSize = actors.stochastic.noiseSize;
    this.#stochastic = stochastic;
    this.#deterministic = deterministic;
    this.#action = new Float32Array(actors.stochastic.actionSize);
  }

  static async open(actors: CompiledActors): Promise<Acting> {
    return new Acting(
      actors,
      await ActorSession.open(actors.stochastic),
      await ActorSession.open(actors.deterministic),
    );
  }

  /** Takes over parameters as `Engine.readActor` writes them; `flat` may be shared memory. */
  load(flat: Float32Array): void {
    this.#stochastic.load(flat);
    this.#deterministic.load(flat);
  }

  /**
   * @param observation normalised, [observationSize]
   * @param noise       standard normal draws, [noiseSize]; without it the action is the deterministic one
   * @returns           [actionSize], overwritten by the next call; a promise only where inference has no synchronous call
   */
  act(observation: Float32Array, noise?: Float32Array): Float32Array | Promise<Float32Array> {
    const running =
      noise === undefined
        ? this.#deterministic.act(observation, this.#none, this.#action)
        : this.#stochastic.act(observation, noise, this.#action);
    return running === undefined ? this.#action : running.then(() => this.#action);
  }

  async dispose(): Promise<void> {
    await this.#stochastic.dispose();
    await this.#deterministic.dispose();
  }
}
