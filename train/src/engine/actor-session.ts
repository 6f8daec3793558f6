/**
 * Acts with a compiled actor and parameters of its own: what a collecting worker holds. It needs ONNX Runtime only; TensorFlow.js, which
 * compiled the graph (compile-actor.ts), is not loaded.
 */
import * as ort from 'onnxruntime-node';
import { type GraphSession, type OpenGraph, openGraph, type Tensors } from './graph-session.js';
import type { GroupLayout } from './group-layout.js';

/** Plain data: may be posted to a worker. */
export interface CompiledActor {
  /** ONNX; inputs are the parameters, `observation` [1, observationSize] and, where noiseSize > 0, `noise` [1, noiseSize]; output `action`. */
  readonly model: Uint8Array;
  readonly observationSize: number;
  readonly actionSize: number;
  /** 0 for the deterministic actor. */
  readonly noiseSize: number;
  readonly layout: GroupLayout;
}

export class ActorSession {
  readonly #session: GraphSession;
  readonly #actor: CompiledActor;
  readonly #parameters: Float32Array;
  readonly #observation: Float32Array;
  readonly #noise: Float32Array;
  readonly #action: Float32Array;
  readonly #feeds: Tensors = {};
  readonly #fetches: Tensors;

  private constructor(actor: CompiledActor, session: GraphSession) {
    this.#actor = actor;
    this.#session = session;
    // ONNX Runtime refuses tensors over a SharedArrayBuffer: parameters are copied into plain memory.
    this.#parameters = new Float32Array(actor.layout.length);
    this.#observation = new Float32Array(actor.observationSize);
    this.#noise = new Float32Array(actor.noiseSize);
    this.#action = new Float32Array(actor.actionSize);
    for (const { name, shape, offset, length } of actor.layout.parameters) {
      this.#feeds[name] = tensor(this.#parameters.subarray(offset, offset + length), shape);
    }
    this.#feeds.observation = tensor(this.#observation, [1, actor.observationSize]);
    if (actor.noiseSize > 0) this.#feeds.noise = tensor(this.#noise, [1, actor.noiseSize]);
    this.#fetches = { action: tensor(this.#action, [1, actor.actionSize]) };
  }

  static async open(actor: CompiledActor, open: OpenGraph = openGraph): Promise<ActorSession> {
    return new ActorSession(actor, await open(actor.model));
  }

  /** Takes over parameters as Engine.readActor writes them; `flat` may be shared memory. */
  load(flat: Float32Array): void {
    this.#parameters.set(flat);
  }

  /**
   * @param observation  normalised, [observationSize]
   * @param noise        standard normal draws, [noiseSize]
   * @param out          the action, [actionSize], in [−1, 1]
   * @returns a promise only where ONNX Runtime has no synchronous call
   */
  act(observation: Float32Array, noise: Float32Array, out: Float32Array): undefined | Promise<void> {
    this.#observation.set(observation);
    if (this.#actor.noiseSize > 0) this.#noise.set(noise);
    const running = this.#session.run(this.#feeds, this.#fetches);
    if (running !== undefined) return running.then(() => out.set(this.#action));
    out.set(this.#action);
    return undefined;
  }

  /** [n, observationSize] and [n, noiseSize] → [n, actionSize], row by row. */
  actRows(observations: Float32Array, noise: Float32Array): Float32Array | Promise<Float32Array> {
    const { observationSize, actionSize, noiseSize } = this.#actor;
    const rows = observations.length / observationSize;
    const actions = new Float32Array(rows * actionSize);
    const row = (values: Float32Array, i: number, size: number) => values.subarray(i * size, (i + 1) * size);
    const from = (first: number): Float32Array | Promise<Float32Array> => {
      for (let i = first; i < rows; i++) {
        const out = row(actions, i, actionSize);
        const running = this.act(row(observations, i, observationSize), row(noise, i, noiseSize), out);
        if (running !== undefined) return running.then(() => from(i + 1));
      }
      return actions;
    };
    return from(0);
  }

  dispose(): undefined | Promise<void> {
    return this.#session.dispose();
  }
}

function tensor(values: Float32Array, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', values, shape);
}
