/**
 * The arithmetic of the split engine on one thread: parameters, gradients, moments, averages and batch in one arena, a program's graph run
 * by ONNX Runtime on views of it, and Adam and Polyak as WebAssembly passes over flat groups. With a {@link GradientExchange} it is one
 * shard of several, each with a part of the batch.
 */
import * as ort from 'onnxruntime-node';
import type { AdamConfig, Scalars } from '../algorithms/algorithm.js';
import { elementCount } from '../nn/parameter.js';
import { adamStep } from './adam.js';
import { Arena, type Region } from './arena.js';
import type { CompiledProgram, CompiledPrograms } from './compiled-programs.js';
import { checkFinite } from './divergence.js';
import type { EngineState } from './engine.js';
import { flatten, unflatten } from './flat-group.js';
import type { GradientExchange } from './gradient-exchange.js';
import { type GraphSession, type OpenGraph, openGraph, type Tensors } from './graph-session.js';
import type { GroupLayout } from './group-layout.js';
import { type OptimiserKernels, optimiserKernels } from './optimiser-kernels.js';

interface TrainedGroup {
  readonly name: string;
  readonly layout: GroupLayout;
  readonly optimiser: AdamConfig;
  readonly parameters: Region;
  readonly gradients: Region;
  /** The sum over the parts of the batch so far; empty where there is one part only. */
  readonly sum: Region;
  readonly firstMoments: Region;
  readonly secondMoments: Region;
  steps: number;
}

interface AveragedGroup {
  readonly layout: GroupLayout;
  readonly parameters: Region;
  readonly source: TrainedGroup;
  readonly tau: number;
}

interface LoadedProgram {
  readonly session: GraphSession;
  readonly trains: readonly TrainedGroup[];
  /** For each part of the batch. */
  readonly feeds: readonly Tensors[];
  readonly fetches: Tensors;
  /** The loss, then the metrics. */
  readonly scalars: Float32Array;
  readonly scalarSums: Float64Array;
  readonly metrics: readonly string[];
}

type Values = Record<string, Float32Array>;

export class SplitCore {
  /** Views of the arena by short name, row-major. */
  readonly batch: Readonly<Values>;
  readonly noise: Readonly<Values>;
  /** Updates done; the engine counts. */
  updates = 0;
  readonly #kernels: OptimiserKernels;
  readonly #groups: Readonly<Record<string, TrainedGroup>>;
  readonly #averages: Readonly<Record<string, AveragedGroup>>;
  readonly #programs: Record<string, LoadedProgram> = {};
  readonly #metrics: Record<string, number> = {};
  readonly #exchange: GradientExchange | undefined;
  readonly #parts: number;
  /** Where the other shards' gradients are brought to be added. */
  readonly #others: Region;

  private constructor(
    { groups, averages, inputs, cut, parts }: CompiledPrograms,
    exchange: GradientExchange | undefined,
  ) {
    this.#exchange = exchange;
    this.#parts = parts;
    const floats = (kind: string) =>
      Object.fromEntries(
        Object.entries(inputs).flatMap(([name, shape]) =>
          name.startsWith(kind)
            ? [[name.slice(kind.length), elementCount(shape) * (cut.includes(name) ? parts : 1)] as const]
            : [],
        ),
      );
    const [batch, noise] = [floats('batch/'), floats('noise/')];
    const lengths = mapValues(groups, ({ layout }) => layout.length);
    const scratch = exchange === undefined ? 0 : Math.max(...Object.values(lengths));
    const arena = new Arena([
      ...Object.values(lengths).flatMap(length => [length, length, length, length, parts > 1 ? length : 0]),
      ...Object.values(averages).map(({ of }) => lengths[of]!),
      ...Object.values(batch),
      ...Object.values(noise),
      scratch,
    ]);
    this.#kernels = optimiserKernels(arena.memory);
    this.#groups = mapValues(groups, ({ layout, optimiser }, name) => ({
      name,
      layout,
      optimiser,
      parameters: arena.allocate(layout.length),
      gradients: arena.allocate(layout.length),
      sum: arena.allocate(parts > 1 ? layout.length : 0),
      firstMoments: arena.allocate(layout.length),
      secondMoments: arena.allocate(layout.length),
      steps: 0,
    }));
    this.#averages = mapValues(averages, ({ of, tau }) => {
      const source = this.#groups[of]!;
      return { layout: source.layout, parameters: arena.allocate(source.layout.length), source, tau };
    });
    this.batch = mapValues(batch, length => arena.allocate(length).values);
    this.noise = mapValues(noise, length => arena.allocate(length).values);
    this.#others = arena.allocate(scratch);
  }

  static async open(
    compiled: CompiledPrograms,
    { open = openGraph, exchange }: { open?: OpenGraph | undefined; exchange?: GradientExchange | undefined } = {},
  ): Promise<SplitCore> {
    const core = new SplitCore(compiled, exchange);
    const inputs = core.#inputs(compiled);
    for (const [name, program] of Object.entries(compiled.programs))
      core.#programs[name] = core.#loadProgram(program, inputs, await open(program.model));
    return core;
  }

  /** What programs read, for each part of the batch. */
  #inputs({ inputs, cut, parts }: CompiledPrograms): Tensors[] {
    const values: Values = {};
    for (const [owner, { layout, parameters }] of Object.entries({ ...this.#groups, ...this.#averages })) {
      for (const { name } of layout.parameters) values[`${owner}/${name}`] = part(layout, name, parameters);
    }
    for (const [name, array] of Object.entries(this.batch)) values[`batch/${name}`] = array;
    for (const [name, array] of Object.entries(this.noise)) values[`noise/${name}`] = array;
    const whole = mapValues(inputs, (shape, key) => {
      const floats = elementCount(shape);
      return Array.from(
        { length: cut.includes(key) ? parts : 1 },
        (_, i) => new ort.Tensor('float32', values[key]!.subarray(i * floats, (i + 1) * floats), shape),
      );
    });
    return Array.from({ length: parts }, (_, i) => mapValues(whole, tensors => tensors[i % tensors.length]!));
  }

  #loadProgram(
    { trains, inputs, outputs }: CompiledProgram,
    all: readonly Tensors[],
    session: GraphSession,
  ): LoadedProgram {
    const metrics = Object.keys(outputs).filter(key => key.startsWith('metric/'));
    const names = ['loss', ...metrics];
    const scalars = new Float32Array(names.length);
    const fetches = mapValues(outputs, (shape, key) => {
      const [kind, group = '', ...rest] = key.split('/');
      const at = names.indexOf(key);
      if (kind !== 'gradient') return new ort.Tensor('float32', scalars.subarray(at, at + 1), shape);
      const { layout, gradients } = this.#groups[group]!;
      return new ort.Tensor('float32', part(layout, rest.join('/'), gradients), shape);
    });
    return {
      session,
      trains: trains.map(name => this.#groups[name]!),
      feeds: all.map(tensors => Object.fromEntries(inputs.map(key => [key, tensors[key]!]))),
      fetches,
      scalars,
      scalarSums: new Float64Array(names.length),
      metrics: metrics.map(key => key.slice('metric/'.length)),
    };
  }

  /** Loss and gradient of a program, averaged over the shards, and the optimiser's step. A promise only where the graph does not run synchronously. */
  apply(name: string): undefined | Promise<void> {
    return this.#run(this.#programs[name]!, 0);
  }

  /** Runs the parts from `first` on, then steps. */
  #run(program: LoadedProgram, first: number): undefined | Promise<void> {
    for (let i = first; i < this.#parts; i++) {
      const running = program.session.run(program.feeds[i]!, program.fetches);
      if (running !== undefined)
        return running.then(() => {
          this.#add(program, i);
          return this.#run(program, i + 1);
        });
      this.#add(program, i);
    }
    this.#step(program);
    return undefined;
  }

  /** Adds a part's gradient and scalars to those of the parts before it; after the last, they are the mean. */
  #add({ trains, scalars, scalarSums }: LoadedProgram, index: number): void {
    if (this.#parts === 1) return;
    const last = index === this.#parts - 1;
    for (const { gradients, sum, layout } of trains) {
      const scale = last ? 1 / this.#parts : 1;
      if (index > 0) this.#kernels.accumulate(gradients.byteOffset, sum.byteOffset, layout.length, scale);
      if (!last) sum.values.set(gradients.values);
    }
    for (let i = 0; i < scalars.length; i++) {
      scalarSums[i] = scalars[i]! + (index > 0 ? scalarSums[i]! : 0);
      if (last) scalars[i] = scalarSums[i]! / this.#parts;
    }
  }

  #step({ trains, scalars, metrics }: LoadedProgram): void {
    this.#exchange?.average(trains, scalars, this.#others, this.#kernels);
    const names = trains.map(({ name }) => name);
    checkFinite(scalars[0]!, 'loss', names, this.updates);
    for (const [i, metric] of metrics.entries()) this.#metrics[metric] = scalars[i + 1]!;
    for (const group of trains) {
      const step = adamStep(group.optimiser, ++group.steps);
      const squares = this.#kernels.adam(
        group.parameters.byteOffset,
        group.gradients.byteOffset,
        group.firstMoments.byteOffset,
        group.secondMoments.byteOffset,
        group.layout.length,
        step.stepSize,
        step.rootScale,
        step.beta1,
        step.beta2,
        step.epsilon,
      );
      checkFinite(squares, 'gradient', [group.name], this.updates);
    }
  }

  average(name: string): void {
    const { parameters, source, layout, tau } = this.#averages[name]!;
    this.#kernels.polyak(parameters.byteOffset, source.parameters.byteOffset, layout.length, tau);
  }

  /** Parameters, then gradients, by flat name. */
  *tensors(): Generator<readonly [name: string, values: Float32Array]> {
    for (const kind of ['parameters', 'gradients'] as const)
      for (const [owner, group] of Object.entries(this.#groups))
        for (const { name } of group.layout.parameters)
          yield [`${kind === 'gradients' ? 'gradient/' : ''}${owner}/${name}`, part(group.layout, name, group[kind])];
  }

  /** Of the programs run so far; the record is reused. */
  get metrics(): Scalars {
    return this.#metrics;
  }

  /** A group's parameters, flat; live. */
  parameters(group: string): Float32Array {
    return this.#groups[group]!.parameters.values;
  }

  save(): Omit<EngineState, 'algorithm'> {
    const [parameters, firstMoments, secondMoments]: [Values, Values, Values] = [{}, {}, {}];
    for (const [name, group] of Object.entries(this.#groups)) {
      unflatten(name, group.layout, group.parameters.values, parameters);
      unflatten(name, group.layout, group.firstMoments.values, firstMoments);
      unflatten(name, group.layout, group.secondMoments.values, secondMoments);
    }
    for (const [name, average] of Object.entries(this.#averages))
      unflatten(name, average.layout, average.parameters.values, parameters);
    const optimiserSteps = mapValues(this.#groups, ({ steps }) => steps);
    return { updates: this.updates, optimiserSteps, parameters, firstMoments, secondMoments };
  }

  /** Takes over a state that was checked (check-state.ts). */
  load(state: EngineState): void {
    this.updates = state.updates;
    for (const [name, group] of Object.entries(this.#groups)) {
      group.steps = state.optimiserSteps[name]!;
      group.parameters.values.set(flatten(name, group.layout, state.parameters));
      group.firstMoments.values.set(flatten(name, group.layout, state.firstMoments));
      group.secondMoments.values.set(flatten(name, group.layout, state.secondMoments));
    }
    for (const [name, { layout, parameters }] of Object.entries(this.#averages))
      parameters.values.set(flatten(name, layout, state.parameters));
  }

  async dispose(): Promise<void> {
    for (const { session } of Object.values(this.#programs)) await session.dispose();
  }
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  map: (value: In, key: string) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

/** One parameter's view in a region of its group. */
function part(layout: GroupLayout, name: string, { values }: Region): Float32Array {
  const { offset, length } = layout.parameters.find(parameter => parameter.name === name)!;
  return values.subarray(offset, offset + length);
}
