/**
 * A TensorFlow.js backend that computes nothing: each kernel it is asked for becomes an operation of an ONNX graph.
 *
 * So a loss written with TensorFlow.js, run once under this backend together with its gradient, is an ONNX model. Reshapes are free:
 * a value keeps the shape it was computed in (`shape`) whatever shape TensorFlow.js sees it in, and a Reshape is recorded only where an
 * operation's meaning depends on it. Half of the nodes of a traced gradient would be reshapes otherwise.
 */
import { KitError } from '@sim2servo/models/error';
import * as tf from '@tensorflow/tfjs-core';
import { elementCount } from '../nn/parameter.js';
import { type ConstantValues, Graph } from './graph.js';

export const traceBackendName = 'onnx-trace';

export interface TraceValue {
  readonly dtype: tf.DataType;
  /** The shape it has in the graph. */
  readonly shape: readonly number[];
  /** Its name in the graph; undefined for a constant that nothing has asked for yet. */
  name?: string;
  readonly constant?: ConstantValues;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Without leading ones: what broadcasting, which aligns at the right, can't tell from the original. */
export function core(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex(size => size !== 1);
  return first === -1 ? [] : shape.slice(first);
}

export class TraceBackend extends tf.KernelBackend {
  #values = new WeakMap<object, TraceValue>();
  #graph = new Graph();

  get graph(): Graph {
    return this.#graph;
  }

  /** Forgets everything; the next kernels are recorded into a new graph. */
  begin(): void {
    this.#graph = new Graph();
    this.#values = new WeakMap();
  }

  known(info: tf.TensorInfo): TraceValue {
    const value = this.#values.get(info.dataId);
    if (value === undefined) throw new Error('A tensor of another trace or backend was used in this one.');
    return value;
  }

  /** A tensor for a value; TensorFlow.js sees it in `shape`. */
  #tensor(value: TraceValue, shape: readonly number[] = value.shape): tf.TensorInfo {
    const dataId = {};
    this.#values.set(dataId, value);
    return { dataId, shape: [...shape], dtype: value.dtype };
  }

  input(name: string, shape: readonly number[]): tf.TensorInfo {
    return this.#tensor({ name: this.graph.input(name, shape), shape, dtype: 'float32' });
  }

  constant(constant: ConstantValues, shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    return this.#tensor({ constant, shape, dtype });
  }

  /** A constant of one value everywhere. */
  filled(value: number, shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    return this.constant(constantValues(new Array<number>(elementCount(shape)).fill(value), dtype), shape, dtype);
  }

  /** An operation's output: `shape` in the graph, `seen` by TensorFlow.js. */
  emit(
    opType: string,
    inputs: readonly string[],
    shape: readonly number[],
    dtype: tf.DataType,
    attributes: Parameters<Graph['operation']>[2] = [],
    seen: readonly number[] = shape,
  ): tf.TensorInfo {
    return this.#tensor({ name: this.graph.operation(opType, inputs, attributes, shape), shape, dtype }, seen);
  }

  /** The same value in another shape, for nothing. */
  reshaped(info: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    return this.#tensor(this.known(info), shape);
  }

  /** The value's name, in the shape it has. */
  name(info: tf.TensorInfo): string {
    const value = this.known(info);
    value.name ??= this.graph.constant(value.constant!, value.shape, value.dtype);
    return value.name;
  }

  /** A name under which the value has exactly this shape in the graph. */
  nameShaped(info: tf.TensorInfo, shape: readonly number[] = info.shape): string {
    const value = this.known(info);
    if (sameShape(value.shape, shape)) return this.name(info);
    if (value.constant !== undefined) return this.graph.constant(value.constant, shape, value.dtype);
    return this.graph.operation('Reshape', [this.name(info), this.graph.indices(shape)]);
  }

  /** True for a constant that holds `wanted` everywhere. */
  isFilledWith(info: tf.TensorInfo, wanted: number): boolean {
    return this.known(info).constant?.every(value => value === wanted) ?? false;
  }

  // What TensorFlow.js wants of a backend.

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.constant(constantValues(values, dtype), shape, dtype).dataId;
  }

  override move(dataId: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    this.#values.set(dataId, { constant: constantValues(values, dtype), shape, dtype });
  }

  override readSync(dataId: object): tf.BackendValues {
    const constant = this.#values.get(dataId)?.constant;
    if (constant !== undefined) return constant;
    throw new KitError(
      'E_TRACE_READ',
      'A loss reads the value of a tensor (dataSync, array, print, …), and while it is traced there is none.',
      'Compute with tensors only; return what should be read as a metric.',
      'bug',
    );
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  // A trace is short, and its values go with it: nothing is counted.
  override disposeData(): boolean {
    return true;
  }
  override refCount(): number {
    return 1;
  }
  override incRef(): void {}
  override numDataIds(): number {
    return 0;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override dispose(): void {}
}

export function constantValues(values: tf.BackendValues | readonly number[], dtype: tf.DataType): ConstantValues {
  const numbers = values as ArrayLike<number>;
  if (dtype === 'int32') return Int32Array.from(numbers);
  if (dtype === 'bool') return Uint8Array.from(numbers);
  return Float32Array.from(numbers);
}
