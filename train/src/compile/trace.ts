/** Turns a function of tensors into an ONNX model by running it once under the tracing backend. */
import './prepare-tensorflow.js';
import { KitError, messageOf } from '@sim2servo/models/error';
import { encodeModel, floatValue, type OnnxTensor, onnxTypes } from '@sim2servo/models/onnx-model';
import * as tf from '@tensorflow/tfjs-core';
import { traceBackend } from './kernel-table.js';
import { selectRows } from './selected-rows.js';
import { traceBackendName } from './trace-backend.js';

export interface TracedModel {
  /** The ONNX file. */
  readonly model: Uint8Array;
  /** The inputs that the outputs depend on, in the order they were given; the others are no inputs of the model. */
  readonly inputs: readonly string[];
  /** Shapes of the outputs, by name. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  /** How many nodes of each kind there are. */
  readonly operations: Readonly<Record<string, number>>;
}

export interface TraceOptions {
  readonly name: string;
  /** Shapes by name. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Values of those inputs that the file shall hold itself, by name. */
  readonly values?: Readonly<Record<string, Float32Array>>;
  readonly run: (inputs: Readonly<Record<string, tf.Tensor>>) => Readonly<Record<string, tf.Tensor>>;
  /** Outputs keep the shape they were computed in, e.g. [1, n] for [n]: for readers that only want the numbers in order. */
  readonly anyShape?: boolean;
  /** Work that counts in some rows only is done for those only (selected-rows.ts): faster on a CPU, no gain where sizes must be fixed. */
  readonly selectRows?: boolean;
}

/** Opset 17 and IR 8: what every ONNX Runtime since 1.13 loads, on robots too. */
const opset = 17;
const irVersion = 8;

/** @throws KitError E_TRACE_KERNEL where `run` needs a kernel that kernel-table.ts lacks */
export function trace({ name, inputs, values = {}, run, anyShape = false, ...options }: TraceOptions): TracedModel {
  const backend = traceBackend();
  // Nothing where no backend was used before.
  const previous: string | null | undefined = tf.getBackend();
  useBackend(traceBackendName);
  tf.engine().startScope();
  try {
    backend.begin();
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([input, shape]) => [
        input,
        tf.engine().makeTensorFromTensorInfo(backend.input(input, shape)),
      ]),
    );
    const results = Object.entries(run(tensors));
    const shapes = results.map(([, tensor]) => (anyShape ? backend.known(tensor).shape : tensor.shape));
    const wanted = results.map(([output, tensor], i) => [backend.nameShaped(tensor, shapes[i]!), output] as const);
    const { graph } = backend;
    const { nodes, constants, used } = graph.finish(
      wanted,
      options.selectRows === true ? (kept, outputs) => selectRows(graph, kept, outputs) : undefined,
    );
    const needed = Object.keys(inputs).filter(input => used.has(input) && !(input in values));
    const held = Object.keys(inputs).filter(input => used.has(input) && input in values);
    const operations: Record<string, number> = {};
    for (const { opType } of nodes) operations[opType] = (operations[opType] ?? 0) + 1;
    const model = encodeModel({
      irVersion,
      producerName: 'sim2servo',
      opsetImport: [{ domain: '', version: opset }],
      graph: {
        name,
        node: nodes,
        initializer: [...constants, ...held.map(input => floatTensor(input, inputs[input]!, values[input]!))],
        input: needed.map(input => floatValue(input, inputs[input]!)),
        output: results.map(([output], i) => floatValue(output, shapes[i]!)),
      },
    });
    return {
      model,
      inputs: needed,
      outputs: Object.fromEntries(results.map(([output], i) => [output, shapes[i]!])),
      operations,
    };
  } catch (error) {
    const missing = /kernel '([^']+)'/i.exec(messageOf(error))?.[1];
    if (missing === undefined || error instanceof KitError) throw error;
    throw new KitError(
      'E_TRACE_KERNEL',
      `'${name}' needs the kernel ${missing}, which the tracer does not know.`,
      'Add it to a file of train/src/compile/kernels, or write the function without it.',
      'bug',
      { cause: error },
    );
  } finally {
    tf.engine().endScope();
    if (previous) useBackend(previous);
  }
}

function floatTensor(name: string, dims: readonly number[], values: Float32Array): OnnxTensor {
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims: [...dims], dataType: onnxTypes.float, rawData };
}

/** Switches synchronously: every backend that was registered with a plain factory, or was ready once, is. */
export function useBackend(name: string): void {
  if (tf.getBackend() !== name) void tf.setBackend(name);
}
