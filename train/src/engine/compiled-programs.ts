/** An algorithm's programs as ONNX graphs, and where their inputs and outputs lie: plain data, so a thread without TensorFlow.js can run them. */
import { KitError } from '@sim2servo/models/error';
import type { AdamConfig, Average, Declaration } from '../algorithms/algorithm.js';
import { trace } from '../compile/trace.js';
import { type GroupLayout, groupLayout } from './group-layout.js';
import { inputShapes, runWithGradients } from './run-program.js';

type Shape = readonly number[];

export interface CompiledProgram {
  /** ONNX; see run-program.ts for the outputs' names. */
  readonly model: Uint8Array;
  readonly trains: readonly string[];
  /** Names among {@link CompiledPrograms.inputs}. */
  readonly inputs: readonly string[];
  readonly outputs: Readonly<Record<string, Shape>>;
}

/** Floats of one layer's activations up to which a part of the batch stays in a core's second-level cache; docs/performance.md has the measurement. */
const largestPart = 1024 * 256;

export interface CompiledPrograms {
  readonly groups: Readonly<Record<string, { readonly layout: GroupLayout; readonly optimiser: AdamConfig }>>;
  readonly averages: Readonly<Record<string, Average>>;
  /** Shapes of all that a program may read, by flat name: `actor/out/bias`, `batch/reward`, `noise/next`. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** Those inputs that have a row for each transition of the batch, and so are cut with it: {@link inputs} has the shapes of one part. */
  readonly cut: readonly string[];
  /** How many parts, one after the other, each thread makes of its share of the batch. */
  readonly parts: number;
  readonly programs: Readonly<Record<string, CompiledProgram>>;
}

/**
 * @param shards  among how many threads the batch is shared equally. Each cuts its share again, so that a part stays in its cache, and the
 *   graphs are for one part. Noise that has a row for each transition is cut with the batch, other noise is the same for all parts
 * @param partFloats  of one layer's activations, at most
 * @throws KitError E_SHARDS where the batch has no such parts
 */
export function compilePrograms(declaration: Declaration, shards: number, partFloats = largestPart): CompiledPrograms {
  const rows = batchRows(declaration);
  if (!Number.isInteger(shards) || shards < 1 || rows % shards !== 0)
    throw new KitError(
      'E_SHARDS',
      `A batch of ${rows} has no ${shards} equal parts.`,
      'Use a number of threads that divides the batch size.',
      'usage',
    );
  const parts = partsOf(rows / shards, declaration, partFloats);
  const whole = inputShapes(declaration);
  const cut = Object.keys(whole).filter(name => isCut(name, whole[name]!, rows));
  const inputs = Object.fromEntries(
    Object.entries(whole).map(([name, shape]) => [
      name,
      cut.includes(name) ? [rows / shards / parts, ...shape.slice(1)] : shape,
    ]),
  );
  const programs = Object.entries(declaration.programs).map(([name, program]) => {
    const traced = trace({
      name,
      inputs,
      run: tensors => runWithGradients(program, tensors),
      anyShape: true,
      selectRows: true,
    });
    return [name, { model: traced.model, trains: program.trains, inputs: traced.inputs, outputs: traced.outputs }];
  });
  return {
    groups: Object.fromEntries(
      Object.entries(declaration.groups).map(([name, { parameters, optimiser }]) => [
        name,
        { layout: groupLayout(parameters), optimiser },
      ]),
    ),
    averages: declaration.averages,
    inputs,
    cut,
    parts,
    programs: Object.fromEntries(programs) as Record<string, CompiledProgram>,
  };
}

/** The fewest equal parts of so many rows that are small enough. */
function partsOf(rows: number, { groups }: Declaration, partFloats: number): number {
  const shapes = Object.values(groups).flatMap(({ parameters }) => parameters.map(({ shape }) => shape));
  const widest = Math.max(...shapes.map(shape => shape.at(-1) ?? 1));
  for (let parts = 1; ; parts++)
    if (rows % parts === 0 && (rows / parts <= 1 || (rows / parts) * widest <= partFloats)) return parts;
}

function batchRows({ batch }: Declaration): number {
  return Math.max(...Object.values(batch).map(([rows]) => rows));
}

/** Whether an input has a row for each transition of the batch. */
function isCut(name: string, shape: Shape, rows: number): boolean {
  return name.startsWith('batch/') || (name.startsWith('noise/') && shape[0] === rows);
}
