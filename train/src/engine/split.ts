/**
 * The engine for a CPU: one ONNX graph for each loss (loss and gradient), run by ONNX Runtime, and one WebAssembly pass over each flat
 * group for Adam and for Polyak, all in one arena (split-core.ts). Measured against one graph for everything, it is more than twice as
 * fast: an optimiser made of graph nodes passes over the parameters a dozen times.
 *
 * More threads are shards of the batch (shards.ts). A program's loss must then be a mean over the batch's rows, and so must its metrics:
 * the mean of the parts' means is the whole's.
 */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { Declaration, Instruction, Scalars } from '../algorithms/algorithm.js';
import { ActorSession } from './actor-session.js';
import { checkState } from './check-state.js';
import { compileDeclaredActor } from './compile-actor.js';
import { compilePrograms } from './compiled-programs.js';
import { suspectTensor } from './divergence.js';
import { drawNoise } from './draw-noise.js';
import type { Engine, EngineState } from './engine.js';
import type { OpenGraph } from './graph-session.js';
import { Shards } from './shards.js';
import { takeInputs } from './shared-inputs.js';
import { SplitCore } from './split-core.js';

type Values = Readonly<Record<string, Float32Array>>;

interface Actors {
  readonly stochastic: ActorSession;
  readonly deterministic: ActorSession;
}

export interface SplitOptions {
  /** Threads, each with an equal part of the batch; 1 unless given. */
  readonly threads?: number;
  /** How graphs are run; ONNX Runtime's synchronous call unless given. */
  readonly open?: OpenGraph;
}

export class SplitEngine implements Engine {
  readonly name = 'split';
  readonly batch: Values;
  readonly noise: Values;
  readonly actorLength: number;
  readonly #declaration: Declaration;
  readonly #core: SplitCore;
  readonly #shards: Shards | undefined;
  readonly #actors: Actors;
  /** Brings the batch to where the core reads it; nothing to do where the caller fills the core's own. */
  readonly #take: () => void;

  private constructor(declaration: Declaration, core: SplitCore, actors: Actors, shards: Shards | undefined) {
    this.#declaration = declaration;
    this.#core = core;
    this.#actors = actors;
    this.#shards = shards;
    this.actorLength = core.parameters(declaration.actor.group).length;
    if (shards === undefined) {
      this.batch = core.batch;
      this.noise = core.noise;
      this.#take = () => {};
    } else {
      const whole = (kind: 'batch' | 'noise') =>
        Object.fromEntries(
          Object.keys(core[kind]).map(key => [key, new Float32Array(shards.inputs[`${kind}/${key}`]!.memory)]),
        );
      this.batch = whole('batch');
      this.noise = whole('noise');
      this.#take = takeInputs(shards.inputs, core, 0);
    }
  }

  static async create(
    declaration: Declaration,
    state: EngineState,
    { threads = 1, open }: SplitOptions = {},
  ): Promise<SplitEngine> {
    const compiled = compilePrograms(declaration, threads);
    const shards = threads > 1 ? await Shards.start(compiled, threads) : undefined;
    const core = await SplitCore.open(compiled, { open, exchange: shards?.exchange });
    const actors = {
      stochastic: await ActorSession.open(compileDeclaredActor(declaration, 'stochastic'), open),
      deterministic: await ActorSession.open(compileDeclaredActor(declaration, 'deterministic'), open),
    };
    const engine = new SplitEngine(declaration, core, actors, shards);
    engine.load(state);
    return engine;
  }

  drawNoise(random: Random): void {
    drawNoise(this.#declaration.noise, random, this.noise);
  }

  get updates(): number {
    return this.#core.updates;
  }

  update(): Scalars | Promise<Scalars> {
    this.#take();
    return this.#follow(this.#declaration.update(this.updates));
  }

  /** Executes what the generator asks for; goes on in a promise only where a graph does not run synchronously. */
  #follow(order: Generator<Instruction, void, Scalars>): Scalars | Promise<Scalars> {
    const core = this.#core;
    for (let next = order.next(core.metrics); !next.done; next = order.next(core.metrics)) {
      const instruction = next.value;
      if (instruction.kind === 'average') {
        this.#shards?.command('average', instruction.average);
        core.average(instruction.average);
        continue;
      }
      const running = this.#apply(instruction.program);
      if (running !== undefined) return running.then(() => this.#follow(order));
    }
    core.updates++;
    return core.metrics;
  }

  #apply(program: string): undefined | Promise<void> {
    this.#shards?.command('program', program);
    try {
      return this.#core.apply(program);
    } catch (error) {
      throw this.#explained(this.#shards?.reasonFor(error) ?? error);
    }
  }

  /** A divergence with the tensor that it can be seen in, the cause first. */
  #explained(error: unknown): unknown {
    if (!(error instanceof KitError && error.code === 'E_DIVERGED')) return error;
    const inputs = { ...prefixed('batch', this.batch), ...prefixed('noise', this.noise) };
    const message = `${error.message} ${suspectTensor([...Object.entries(inputs), ...this.#core.tensors()])}`;
    return new KitError(error.code, message, error.hint, error.exit, { cause: error });
  }

  act(observations: Float32Array, noise?: Float32Array): Float32Array | Promise<Float32Array> {
    const actor = noise === undefined ? this.#actors.deterministic : this.#actors.stochastic;
    actor.load(this.#core.parameters(this.#declaration.actor.group));
    return actor.actRows(observations, noise ?? new Float32Array(0));
  }

  readActor(out: Float32Array): void {
    out.set(this.#core.parameters(this.#declaration.actor.group));
  }

  save(): EngineState {
    return { algorithm: this.#declaration.algorithm, ...this.#core.save() };
  }

  load(state: EngineState): void {
    checkState(this.#declaration, state);
    this.#core.load(state);
    this.#shards?.load(state);
  }

  async dispose(): Promise<void> {
    await this.#shards?.dispose();
    await this.#core.dispose();
    for (const actor of Object.values(this.#actors)) await actor.dispose();
  }
}

function prefixed(kind: string, arrays: Values): Values {
  return Object.fromEntries(Object.entries(arrays).map(([name, values]) => [`${kind}/${name}`, values]));
}
