/**
 * Several whole updates as one ONNX graph: losses, gradients, Adam and averages, in the order that the algorithm gives.
 *
 * State is one flat vector for each group and kind (parameters, first and second moments), so that Adam is a dozen operations for each
 * group and not for each parameter: what counts on a GPU is how many kernels are started. The data of a whole call lies on the device;
 * the graph takes the rows of its own updates from there, by number.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Declaration, Instruction } from '../algorithms/algorithm.js';
import { trace } from '../compile/trace.js';
import { adamStep } from './adam.js';
import { type AdamTensors, adamTensors, polyakTensors } from './adam-tensors.js';
import type { GroupLayout } from './group-layout.js';
import { inputShapes, runWithGradients } from './run-program.js';

/** One number of the report that a graph returns. */
export interface ReportEntry {
  /** Which of the graph's updates it is from. */
  readonly update: number;
  readonly kind: 'loss' | 'squaredGradient' | 'metric';
  /** Groups that the loss trains or whose gradient it is; a metric's name. */
  readonly of: readonly string[];
}

export interface FusedGraph {
  readonly model: Uint8Array;
  /** Of all inputs those that the graph reads. */
  readonly inputs: readonly string[];
  /** State that it changes, by name; its output `next/NAME` takes the input's place. */
  readonly changed: readonly string[];
  /** What each number of the output `report` is. */
  readonly report: readonly ReportEntry[];
  /** Groups in the order of their Adam steps: the rows of the input `adam`, [steps, 2]: step size and root scale (adam.ts). */
  readonly adamSteps: readonly string[];
  readonly operations: Readonly<Record<string, number>>;
}

/** Flat lengths of all state by name: `parameters/actor`, `firstMoments/actor`, … */
export function stateLengths(
  { groups, averages }: Declaration,
  layouts: Readonly<Record<string, GroupLayout>>,
): Record<string, number> {
  const lengths: Record<string, number> = {};
  for (const group of Object.keys(groups)) {
    for (const kind of ['parameters', 'firstMoments', 'secondMoments'])
      lengths[`${kind}/${group}`] = layouts[group]!.length;
  }
  for (const average of Object.keys(averages)) lengths[`parameters/${average}`] = layouts[average]!.length;
  return lengths;
}

/** Shapes of a call's batches and noise, [updates, …], by flat name. */
export function dataShapes(declaration: Declaration, updates: number): Record<string, readonly number[]> {
  const shapes = Object.entries(inputShapes(declaration)).filter(([key]) => /^(batch|noise)\//.test(key));
  return Object.fromEntries(shapes.map(([key, shape]) => [key, [updates, ...shape]]));
}

/**
 * @param layouts  of groups and averages
 * @param orders   what happens in each of the graph's updates
 * @param updatesPerCall  rows of the data; the graph's first one is the input `first`
 */
export function fusedGraph(
  declaration: Declaration,
  layouts: Readonly<Record<string, GroupLayout>>,
  orders: readonly (readonly Instruction[])[],
  updatesPerCall: number,
): FusedGraph {
  const { groups, averages, programs } = declaration;
  const lengths = stateLengths(declaration, layouts);
  const data = dataShapes(declaration, updatesPerCall);
  const applied = orders.flatMap(order =>
    order.flatMap(step => (step.kind === 'apply' ? [programs[step.program]!] : [])),
  );
  const adamSteps = applied.flatMap(({ trains }) => trains);
  const report: ReportEntry[] = [];
  const changed = new Set<string>();

  function run(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
    const state: Record<string, tf.Tensor> = Object.fromEntries(Object.keys(lengths).map(key => [key, inputs[key]!]));
    const numbers: tf.Tensor[] = [];
    let steps = 0;
    const write = (key: string, value: tf.Tensor) => {
      state[key] = value;
      changed.add(key);
    };
    const tell = (entry: ReportEntry, value: tf.Tensor) => {
      report.push(entry);
      numbers.push(tf.reshape(value, [1]));
    };

    function rowsOf(update: number): Record<string, tf.Tensor> {
      const row = tf.cast(tf.add(inputs.first!, update), 'int32');
      return Object.fromEntries(
        Object.entries(data).map(([key, [, ...shape]]) => [key, tf.reshape(tf.gather(inputs[key]!, row), shape)]),
      );
    }

    function adam(group: string, gradient: tf.Tensor): void {
      const scalar = (column: number) => tf.reshape(tf.slice(inputs.adam!, [steps, column], [1, 1]), [1]);
      const step = { ...adamStep(groups[group]!.optimiser, 1), stepSize: scalar(0), rootScale: scalar(1) };
      const before: AdamTensors = {
        parameter: state[`parameters/${group}`]!,
        firstMoment: state[`firstMoments/${group}`]!,
        secondMoment: state[`secondMoments/${group}`]!,
      };
      const after = adamTensors(before, gradient, step);
      write(`parameters/${group}`, after.parameter);
      write(`firstMoments/${group}`, after.firstMoment);
      write(`secondMoments/${group}`, after.secondMoment);
      steps++;
    }

    function apply(name: string, update: number, rows: Readonly<Record<string, tf.Tensor>>): void {
      const program = programs[name]!;
      const parameters = Object.entries(layouts).map(([owner, layout]) =>
        parametersOf(owner, layout, state[`parameters/${owner}`]!),
      );
      const outputs = runWithGradients(program, { ...Object.assign({}, ...parameters), ...rows });
      tell({ update, kind: 'loss', of: program.trains }, outputs.loss!);
      for (const [key, value] of Object.entries(outputs)) {
        if (key.startsWith('metric/')) tell({ update, kind: 'metric', of: [key.slice('metric/'.length)] }, value);
      }
      for (const group of program.trains) {
        const gradient = flatGradient(group, layouts[group]!, outputs);
        tell({ update, kind: 'squaredGradient', of: [group] }, tf.sum(tf.square(gradient)));
        adam(group, gradient);
      }
    }

    for (const [update, order] of orders.entries()) {
      const rows = rowsOf(update);
      for (const step of order) {
        if (step.kind === 'apply') apply(step.program, update, rows);
        else {
          const { of, tau } = averages[step.average]!;
          const key = `parameters/${step.average}`;
          write(key, polyakTensors(state[key]!, state[`parameters/${of}`]!, tau));
        }
      }
    }
    return {
      ...Object.fromEntries([...changed].map(key => [`next/${key}`, state[key]!])),
      report: tf.concat(numbers),
    };
  }

  const traced = trace({
    name: `${declaration.algorithm}, ${orders.length} updates`,
    inputs: {
      ...Object.fromEntries(Object.entries(lengths).map(([key, length]) => [key, [length]])),
      ...data,
      adam: [adamSteps.length, 2],
      first: [1],
    },
    run,
  });
  const { model, inputs, operations } = traced;
  return { model, inputs, changed: [...changed], report, adamSteps, operations };
}

/** Views of a flat vector, by flat name. */
function parametersOf(owner: string, layout: GroupLayout, flat: tf.Tensor): Record<string, tf.Tensor> {
  return Object.fromEntries(
    layout.parameters.map(({ name, shape, offset, length }) => [
      `${owner}/${name}`,
      tf.reshape(tf.slice(flat, [offset], [length]), [...shape]),
    ]),
  );
}

/** Gradients one after the other as the layout has the parameters, with zeros in the padding. */
function flatGradient(
  group: string,
  { parameters, length }: GroupLayout,
  outputs: Readonly<Record<string, tf.Tensor>>,
): tf.Tensor {
  const parts = parameters.flatMap(({ name, offset, length: size }, i) => {
    const padding = (parameters[i + 1]?.offset ?? length) - offset - size;
    const part = tf.reshape(outputs[`gradient/${group}/${name}`]!, [size]);
    return padding === 0 ? [part] : [part, tf.zeros([padding])];
  });
  return tf.concat(parts);
}
