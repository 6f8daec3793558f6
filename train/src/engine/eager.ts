/**
 * The reference: the same functions run by a TensorFlow.js backend, kernel by kernel, with Adam and Polyak written as tensor operations.
 * The other engines are tested against it. Slow on `cpu`; on a CUDA machine `tfjs-node-gpu` is what TensorFlow.js offers.
 */
import type { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import type { AdamConfig, Declaration, Scalars } from '../algorithms/algorithm.js';
import { useBackend } from '../compile/trace.js';
import { elementCount } from '../nn/parameter.js';
import { adamStep } from './adam.js';
import { adamTensors, polyakTensors } from './adam-tensors.js';
import { checkState } from './check-state.js';
import { checkFinite } from './divergence.js';
import { drawNoise } from './draw-noise.js';
import { type EagerBackend, prepareEagerBackend } from './eager-backend.js';
import type { Engine, EngineState } from './engine.js';
import { groupLayout } from './group-layout.js';
import { inputShapes, runWithGradients } from './run-program.js';

type Arrays = Record<string, Float32Array>;

export class EagerEngine implements Engine {
  readonly name: Engine['name'];
  readonly batch: Readonly<Arrays>;
  readonly noise: Readonly<Arrays>;
  readonly actorLength: number;
  readonly #backend: EagerBackend;
  readonly #declaration: Declaration;
  readonly #shapes: Readonly<Record<string, readonly number[]>>;
  readonly #parameters = new Map<string, tf.Tensor>();
  readonly #firstMoments = new Map<string, tf.Tensor>();
  readonly #secondMoments = new Map<string, tf.Tensor>();
  readonly #steps: Record<string, number> = {};
  readonly #metrics: Record<string, number> = {};
  #updates = 0;

  private constructor(backend: EagerBackend, declaration: Declaration) {
    this.name = `eager-${backend}`;
    this.#backend = backend;
    this.#declaration = declaration;
    this.#shapes = inputShapes(declaration);
    const zeros = (shape: readonly number[]) => new Float32Array(elementCount(shape));
    this.batch = Object.fromEntries(Object.entries(declaration.batch).map(([name, shape]) => [name, zeros(shape)]));
    this.noise = Object.fromEntries(Object.entries(declaration.noise).map(([name, { shape }]) => [name, zeros(shape)]));
    this.actorLength = groupLayout(declaration.groups[declaration.actor.group]!.parameters).length;
  }

  static async create(backend: EagerBackend, declaration: Declaration, state: EngineState): Promise<EagerEngine> {
    await prepareEagerBackend(backend);
    const engine = new EagerEngine(backend, declaration);
    engine.load(state);
    return engine;
  }

  drawNoise(random: Random): void {
    drawNoise(this.#declaration.noise, random, this.noise);
  }

  get updates(): number {
    return this.#updates;
  }

  update(): Scalars {
    this.#use();
    const order = this.#declaration.update(this.#updates);
    for (let next = order.next(this.#metrics); !next.done; next = order.next(this.#metrics)) {
      tf.tidy(() => {
        if (next.value?.kind === 'average') this.#average(next.value.average);
        else if (next.value?.kind === 'apply') this.#apply(next.value.program);
      });
    }
    this.#updates++;
    return this.#metrics;
  }

  #apply(name: string): void {
    const program = this.#declaration.programs[name]!;
    const inputs: Record<string, tf.Tensor> = Object.fromEntries(this.#parameters);
    for (const [kind, arrays] of Object.entries({ batch: this.batch, noise: this.noise })) {
      for (const [key, values] of Object.entries(arrays)) {
        inputs[`${kind}/${key}`] = tf.tensor(values, [...this.#shapes[`${kind}/${key}`]!]);
      }
    }
    const outputs = runWithGradients(program, inputs);
    checkFinite(scalar(outputs.loss!), 'loss', program.trains, this.#updates);
    for (const group of program.trains) this.#steps[group]!++;
    for (const [key, output] of Object.entries(outputs)) {
      const slash = key.indexOf('/');
      const [kind, rest] = [key.slice(0, slash), key.slice(slash + 1)];
      if (kind === 'metric') {
        this.#metrics[rest] = scalar(output);
        output.dispose();
      } else if (kind === 'gradient') {
        const group = rest.slice(0, rest.indexOf('/'));
        checkFinite(scalar(tf.sum(tf.square(output))), 'gradient', [group], this.#updates);
        this.#adam(rest, output, this.#declaration.groups[group]!.optimiser, this.#steps[group]!);
      }
    }
  }

  #adam(key: string, gradient: tf.Tensor, config: AdamConfig, step: number): void {
    const after = adamTensors(
      {
        parameter: this.#parameters.get(key)!,
        firstMoment: this.#firstMoments.get(key)!,
        secondMoment: this.#secondMoments.get(key)!,
      },
      gradient,
      adamStep(config, step),
    );
    replace(this.#firstMoments, key, after.firstMoment);
    replace(this.#secondMoments, key, after.secondMoment);
    replace(this.#parameters, key, after.parameter);
  }

  #average(name: string): void {
    const { of, tau } = this.#declaration.averages[name]!;
    for (const parameter of this.#declaration.groups[of]!.parameters) {
      const key = `${name}/${parameter.name}`;
      const old = this.#parameters.get(key)!;
      const source = this.#parameters.get(`${of}/${parameter.name}`)!;
      replace(this.#parameters, key, polyakTensors(old, source, tau));
    }
  }

  act(observations: Float32Array, noise?: Float32Array): Float32Array {
    this.#use();
    const { actor, sizes } = this.#declaration;
    const start = `${actor.group}/`;
    const weights = Object.fromEntries(
      [...this.#parameters].flatMap(([key, value]) =>
        key.startsWith(start) ? [[key.slice(start.length), value]] : [],
      ),
    );
    return tf.tidy(() => {
      const rows = observations.length / sizes.observation;
      const observation = tf.tensor2d(observations, [rows, sizes.observation]);
      const action =
        noise === undefined
          ? actor.actDeterministic(weights, observation)
          : actor.act(weights, observation, tf.tensor2d(noise, [rows, actor.noiseSize]));
      return Float32Array.from(action.dataSync());
    });
  }

  readActor(out: Float32Array): void {
    const { group } = this.#declaration.actor;
    for (const { name, offset } of groupLayout(this.#declaration.groups[group]!.parameters).parameters) {
      out.set(this.#parameters.get(`${group}/${name}`)!.dataSync<'float32'>(), offset);
    }
  }

  save(): EngineState {
    this.#use();
    const read = (tensors: Map<string, tf.Tensor>): Arrays =>
      Object.fromEntries([...tensors].map(([key, values]) => [key, Float32Array.from(values.dataSync())]));
    return {
      algorithm: this.#declaration.algorithm,
      updates: this.#updates,
      optimiserSteps: { ...this.#steps },
      parameters: read(this.#parameters),
      firstMoments: read(this.#firstMoments),
      secondMoments: read(this.#secondMoments),
    };
  }

  load(state: EngineState): void {
    checkState(this.#declaration, state);
    this.#use();
    const { groups } = this.#declaration;
    for (const [key, shape] of Object.entries(this.#shapes)) {
      const owner = key.slice(0, key.indexOf('/'));
      if (owner === 'batch' || owner === 'noise') continue;
      // A copy: the `cpu` backend keeps the array it is given.
      const write = (into: Map<string, tf.Tensor>, from: Readonly<Arrays>) =>
        replace(into, key, tf.tensor(from[key]!.slice(), [...shape], 'float32'));
      write(this.#parameters, state.parameters);
      if (!(owner in groups)) continue;
      write(this.#firstMoments, state.firstMoments);
      write(this.#secondMoments, state.secondMoments);
    }
    for (const group of Object.keys(groups)) this.#steps[group] = state.optimiserSteps[group]!;
    this.#updates = state.updates;
  }

  dispose(): void {
    this.#use();
    for (const tensors of [this.#parameters, this.#firstMoments, this.#secondMoments]) {
      tf.dispose([...tensors.values()]);
      tensors.clear();
    }
  }

  /** TensorFlow.js has one current backend for the whole process; another engine or a trace may have changed it. */
  #use(): void {
    useBackend(this.#backend === 'tfjs-node-gpu' ? 'tensorflow' : this.#backend);
  }
}

function scalar(tensor: tf.Tensor): number {
  return tensor.dataSync()[0]!;
}

function replace(tensors: Map<string, tf.Tensor>, key: string, fresh: tf.Tensor): void {
  tensors.get(key)?.dispose();
  tensors.set(key, tf.keep(fresh));
}
