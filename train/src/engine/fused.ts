/**
 * The engine for a GPU: `updatesPerCall` whole updates, optimiser and averages included, run as ONNX graphs whose state stays on the device.
 * The data of a call is uploaded once; what comes back is one short vector of losses, gradient norms and metrics for each run of a graph.
 *
 * A graph holds up to `maxUnrolled` updates: enough to hide what a run costs beside its kernels, and few enough that the graph is loaded in
 * seconds. The order of an update may depend on its index (an actor that learns in every second one): for each order that comes up there is
 * a graph, made when it first does.
 */
import type { Random } from '@sim2servo/models/random';
import * as ort from 'onnxruntime-node';
import type { Declaration, Instruction, Scalars } from '../algorithms/algorithm.js';
import { elementCount } from '../nn/parameter.js';
import { ActorSession } from './actor-session.js';
import { adamStep } from './adam.js';
import { sliceOfCall } from './call-slice.js';
import { checkState } from './check-state.js';
import { compileDeclaredActor } from './compile-actor.js';
import { DeviceCopy, DeviceSession } from './device-session.js';
import { checkFinite } from './divergence.js';
import { drawNoise } from './draw-noise.js';
import type { Engine, EngineState } from './engine.js';
import { flatten, unflatten } from './flat-group.js';
import { dataShapes, type FusedGraph, fusedGraph, stateLengths } from './fused-graph.js';
import type { Tensors } from './graph-session.js';
import { type GroupLayout, groupLayout } from './group-layout.js';
import { keepsTensorsOnDevice, type Provider } from './provider.js';
import { instructionsOf } from './update-order.js';

type Values = Record<string, Float32Array>;

const maxUnrolled = 8;

export class FusedEngine implements Engine {
  readonly name: Engine['name'];
  readonly batch: Readonly<Values>;
  readonly noise: Readonly<Values>;
  readonly actorLength: number;
  readonly updatesPerCall: number;
  readonly #provider: Provider;
  readonly #declaration: Declaration;
  /** Of groups and averages. */
  readonly #layouts: Readonly<Record<string, GroupLayout>>;
  /** Updates in one graph: the largest divisor of updatesPerCall up to maxUnrolled. */
  readonly #unrolled: number;
  readonly #graphs = new Map<string, FusedGraph & { readonly session: DeviceSession }>();
  /** Batches and noise of a call, in the CPU's memory. */
  readonly #data: Tensors;
  readonly #upload: DeviceCopy | undefined;
  readonly #readers = new Map<string, DeviceCopy>();
  #state: Tensors = {};
  /** Where state lies in the CPU's memory, the tensors that the next run writes: the two change places, and nothing is left to the garbage collector. */
  #spare: Tensors = {};
  #steps: Record<string, number> = {};
  #updates = 0;
  readonly #metrics: Record<string, number> = {};
  #actors: { readonly stochastic: ActorSession; readonly deterministic: ActorSession } | undefined;

  private constructor(provider: Provider, declaration: Declaration, updatesPerCall: number) {
    this.name = `fused-${provider}`;
    this.#provider = provider;
    this.#declaration = declaration;
    this.updatesPerCall = updatesPerCall;
    this.#unrolled = largestDivisor(updatesPerCall, maxUnrolled);
    const { groups, averages, actor } = declaration;
    const layoutOf = (group: string) => groupLayout(groups[group]!.parameters);
    this.#layouts = Object.fromEntries([
      ...Object.keys(groups).map(group => [group, layoutOf(group)] as const),
      ...Object.entries(averages).map(([average, { of }]) => [average, layoutOf(of)] as const),
    ]);
    this.actorLength = this.#layouts[actor.group]!.length;
    const shapes = dataShapes(declaration, updatesPerCall);
    this.#data = Object.fromEntries(
      Object.entries(shapes).map(([key, shape]) => [key, tensor(new Float32Array(elementCount(shape)), shape)]),
    );
    const named = (kind: string, names: object) =>
      Object.fromEntries(Object.keys(names).map(name => [name, valuesOf(this.#data[`${kind}/${name}`]!)]));
    this.batch = named('batch', declaration.batch);
    this.noise = named('noise', declaration.noise);
    // Where there is no device memory to keep them in, or only one graph that reads them, a copy of their own gains nothing.
    if (keepsTensorsOnDevice(provider) && this.#unrolled < updatesPerCall)
      this.#upload = new DeviceCopy(provider, shapes, 'device');
  }

  static async create(
    provider: Provider,
    declaration: Declaration,
    state: EngineState,
    updatesPerCall = 1,
  ): Promise<FusedEngine> {
    const engine = new FusedEngine(provider, declaration, updatesPerCall);
    engine.#actors = {
      stochastic: await ActorSession.open(compileDeclaredActor(declaration, 'stochastic')),
      deterministic: await ActorSession.open(compileDeclaredActor(declaration, 'deterministic')),
    };
    engine.load(state);
    // So that a provider that is not there is an error now and not at the first update.
    engine.#graphFor(engine.#orders(engine.#updates));
    return engine;
  }

  get updates(): number {
    return this.#updates;
  }

  /** How many operations of each kind the graphs have, by their updates' orders: for whoever measures. */
  get operations(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    return Object.fromEntries([...this.#graphs].map(([order, { operations }]) => [order, operations]));
  }

  drawNoise(random: Random): void {
    for (let i = 0; i < this.updatesPerCall; i++) {
      drawNoise(this.#declaration.noise, random, sliceOfCall(this.noise, i, this.updatesPerCall));
    }
  }

  update(): Scalars {
    const data = this.#upload?.run(this.#data) ?? this.#data;
    const sums: Record<string, number[]> = {};
    for (let first = 0; first < this.updatesPerCall; first += this.#unrolled) this.#run(data, first, sums);
    if (this.#upload) for (const uploaded of Object.values(data)) uploaded.dispose();
    for (const [name, values] of Object.entries(sums)) {
      this.#metrics[name] = values.reduce((sum, value) => sum + value) / values.length;
    }
    return this.#metrics;
  }

  /** One run of a graph: `#unrolled` updates on the data from row `first`. */
  #run(data: Tensors, first: number, metrics: Record<string, number[]>): void {
    const graph = this.#graphFor(this.#orders(this.#updates));
    const adam = graph.adamSteps.flatMap(group => {
      this.#steps[group]!++;
      const { stepSize, rootScale } = adamStep(this.#declaration.groups[group]!.optimiser, this.#steps[group]!);
      return [stepSize, rootScale];
    });
    const all: Tensors = {
      ...this.#state,
      ...data,
      adam: tensor(Float32Array.from(adam), [graph.adamSteps.length, 2]),
      first: tensor(Float32Array.of(first), [1]),
    };
    const feeds = Object.fromEntries(graph.inputs.map(name => [name, all[name]!]));
    const spares = graph.changed.flatMap(key => (this.#spare[key] ? [[`next/${key}`, this.#spare[key]] as const] : []));
    const outputs = graph.session.run(feeds, Object.fromEntries(spares));
    for (const key of graph.changed) {
      const old = this.#state[key]!;
      this.#state[key] = this.#spare[key] ?? outputs[`next/${key}`]!;
      if (this.#spare[key]) this.#spare[key] = old;
      else old.dispose();
    }
    const report = valuesOf(outputs.report!);
    for (const [i, { update, kind, of }] of graph.report.entries()) {
      const value = report[i]!;
      if (kind === 'loss') checkFinite(value, 'loss', of, this.#updates + update);
      else if (kind === 'squaredGradient') checkFinite(value, 'gradient', of, this.#updates + update);
      else {
        metrics[of[0]!] ??= [];
        metrics[of[0]!]!.push(value);
      }
    }
    this.#updates += this.#unrolled;
  }

  #orders(index: number): Instruction[][] {
    return Array.from({ length: this.#unrolled }, (_, i) => instructionsOf(this.#declaration, index + i));
  }

  #graphFor(orders: readonly (readonly Instruction[])[]): FusedGraph & { readonly session: DeviceSession } {
    const key = JSON.stringify(orders);
    const known = this.#graphs.get(key);
    if (known !== undefined) return known;
    const graph = fusedGraph(this.#declaration, this.#layouts, orders, this.updatesPerCall);
    const state = graph.changed.map(name => [`next/${name}`, 'device'] as const);
    const session = new DeviceSession(this.#provider, graph.model, { ...Object.fromEntries(state), report: 'cpu' });
    const made = { ...graph, session };
    this.#graphs.set(key, made);
    return made;
  }

  /** A state vector in the CPU's memory. */
  #read(key: string): Float32Array {
    const held = this.#state[key]!;
    if (held.location === 'cpu') return valuesOf(held);
    if (!this.#readers.has(key)) this.#readers.set(key, new DeviceCopy(this.#provider, { [key]: held.dims }, 'cpu'));
    return valuesOf(this.#readers.get(key)!.run({ [key]: held })[key]!);
  }

  act(observations: Float32Array, noise?: Float32Array): Float32Array | Promise<Float32Array> {
    const actor = noise === undefined ? this.#actors!.deterministic : this.#actors!.stochastic;
    actor.load(this.#read(`parameters/${this.#declaration.actor.group}`));
    return actor.actRows(observations, noise ?? new Float32Array(0));
  }

  readActor(out: Float32Array): void {
    out.set(this.#read(`parameters/${this.#declaration.actor.group}`));
  }

  save(): EngineState {
    const state = { parameters: {} as Values, firstMoments: {} as Values, secondMoments: {} as Values };
    for (const key of Object.keys(this.#state)) {
      const [kind, owner] = key.split('/') as [keyof typeof state, string];
      unflatten(owner, this.#layouts[owner]!, this.#read(key), state[kind]);
    }
    return {
      algorithm: this.#declaration.algorithm,
      updates: this.#updates,
      optimiserSteps: { ...this.#steps },
      ...state,
    };
  }

  /** The state lies in the CPU's memory until the next update takes it to the device. */
  load(state: EngineState): void {
    checkState(this.#declaration, state);
    this.#free();
    for (const key of Object.keys(stateLengths(this.#declaration, this.#layouts))) {
      const [kind, owner] = key.split('/') as ['parameters' | 'firstMoments' | 'secondMoments', string];
      const layout = this.#layouts[owner]!;
      this.#state[key] = tensor(flatten(owner, layout, state[kind]), [layout.length]);
      if (!keepsTensorsOnDevice(this.#provider))
        this.#spare[key] = tensor(new Float32Array(layout.length), [layout.length]);
    }
    this.#steps = { ...state.optimiserSteps };
    this.#updates = state.updates;
  }

  #free(): void {
    for (const held of Object.values(this.#state)) held.dispose();
    this.#state = {};
  }

  async dispose(): Promise<void> {
    this.#free();
    for (const session of [...this.#readers.values(), ...[...this.#graphs.values()].map(graph => graph.session)]) {
      session.dispose();
    }
    this.#upload?.dispose();
    for (const actor of Object.values(this.#actors ?? {})) await actor.dispose();
  }
}

function largestDivisor(of: number, upTo: number): number {
  for (let divisor = Math.min(of, upTo); divisor > 1; divisor--) if (of % divisor === 0) return divisor;
  return 1;
}

function tensor(values: Float32Array, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', values, shape);
}

const valuesOf = (held: ort.Tensor): Float32Array => held.data as Float32Array;
