/**
 * An ONNX graph under construction: single-output operations in the order they were recorded.
 *
 * The same operation on the same inputs is recorded once; what no output needs is dropped at the end. All operations here are pure, so
 * both are safe.
 */
import {
  attributeTypes,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  onnxTypes,
} from '@sim2servo/models/onnx-model';
import type { DataType } from '@tensorflow/tfjs-core';

export const intAttribute = (name: string, i: number): OnnxAttribute => ({ name, type: attributeTypes.int, i });
export const intsAttribute = (name: string, ints: number[]): OnnxAttribute => ({
  name,
  type: attributeTypes.ints,
  ints,
});
export const floatAttribute = (name: string, f: number): OnnxAttribute => ({ name, type: attributeTypes.float, f });

export type ConstantValues = Float32Array | Int32Array | Uint8Array;

/** The ONNX element type of a TensorFlow.js one. */
export function elementType(dtype: DataType): number {
  if (dtype === 'int32') return onnxTypes.int32;
  if (dtype === 'bool') return onnxTypes.bool;
  return onnxTypes.float;
}

const operationKey = (...parts: [string, readonly string[], OnnxAttribute[]]) => JSON.stringify(parts);

export class Graph {
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: OnnxTensor[] = [];
  readonly #known = new Map<string, string>();
  readonly #shapes = new Map<string, readonly number[]>();
  #count = 0;

  /** Records an operation and returns its output's name. */
  operation(
    opType: string,
    input: readonly string[],
    attribute: OnnxAttribute[] = [],
    shape?: readonly number[],
  ): string {
    return this.#once(operationKey(opType, input, attribute), output => {
      this.#nodes.push({ opType, input: [...input], output: [output], attribute });
      if (shape !== undefined) this.#shapes.set(output, shape);
    });
  }

  /** An input of the whole graph; its name must not look like one of ours. */
  input(name: string, shape: readonly number[]): string {
    this.#shapes.set(name, shape);
    return name;
  }

  /** As it was recorded; undefined where nobody said it. */
  shapeOf(value: string): readonly number[] | undefined {
    return this.#shapes.get(value);
  }

  /** The output's name, if this very operation is recorded already. */
  find(opType: string, input: readonly string[], attribute: OnnxAttribute[] = []): string | undefined {
    return this.#known.get(operationKey(opType, input, attribute));
  }

  constant(values: ConstantValues, dims: readonly number[], dtype: DataType): string {
    return this.#tensor(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), dims, elementType(dtype));
  }

  scalar(value: number): string {
    return this.constant(Float32Array.of(value), [], 'float32');
  }

  /** A constant of shape, axes or bounds, as ONNX wants them: int64. */
  indices(values: readonly number[]): string {
    const words = BigInt64Array.from(values, BigInt);
    return this.#tensor(new Uint8Array(words.buffer), [values.length], onnxTypes.int64);
  }

  #tensor(rawData: Uint8Array, dims: readonly number[], dataType: number): string {
    const key = JSON.stringify(['constant', dims, dataType, Buffer.from(rawData).toString('base64')]);
    return this.#once(key, name => {
      this.#constants.push({ name, dims: [...dims], dataType, rawData: Uint8Array.from(rawData) });
      this.#shapes.set(name, dims);
    });
  }

  #once(key: string, record: (name: string) => void): string {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = this.freshName();
    this.#known.set(key, name);
    record(name);
    return name;
  }

  freshName(): string {
    return `v${this.#count++}`;
  }

  /**
   * What computes `outputs` (value → wanted name), and nothing else.
   *
   * An output takes its name where it is computed; only an input, a constant or a value wanted under two names needs a copy.
   *
   * @param rewrite  another list of nodes for what is needed; it is cleared of what is not, too
   */
  finish(
    outputs: readonly (readonly [value: string, name: string])[],
    rewrite: (nodes: readonly OnnxNode[], outputs: ReadonlySet<string>) => readonly OnnxNode[] = nodes => nodes,
  ): {
    nodes: OnnxNode[];
    constants: OnnxTensor[];
    used: Set<string>;
  } {
    const wanted = new Set(outputs.map(([value]) => value));
    const { kept, used } = needed(rewrite(needed(this.#nodes, wanted).kept, wanted), wanted);
    const computed = new Set(kept.map(node => node.output![0]!));
    const renamed = new Map<string, string>();
    const copies: OnnxNode[] = [];
    for (const [value, name] of outputs) {
      if (computed.has(value) && !renamed.has(value)) renamed.set(value, name);
      else copies.push({ opType: 'Identity', input: [value], output: [name], attribute: [] });
    }
    const rename = (name: string) => renamed.get(name) ?? name;
    const nodes = [...kept, ...copies].map(node => ({
      ...node,
      input: node.input!.map(rename),
      output: node.output!.map(rename),
    }));
    return { nodes, constants: this.#constants.filter(({ name }) => used.has(name!)), used };
  }
}

/** The nodes that `wanted` depend on, and all values that these use. */
function needed(nodes: readonly OnnxNode[], wanted: ReadonlySet<string>): { kept: OnnxNode[]; used: Set<string> } {
  const used = new Set(wanted);
  const kept: OnnxNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!used.has(node.output![0]!)) continue;
    kept.unshift(node);
    for (const input of node.input!) used.add(input);
  }
  return { kept, used };
}
