/** ONNX models as plain records, to bytes and back. The one place that knows their protobuf. */
import protobuf from 'protobufjs';
import { onnxProto } from './onnx-schema.js';

export const onnxTypes = { float: 1, int32: 6, int64: 7, bool: 9 } as const;
export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7 } as const;

export interface OnnxTensor {
  name?: string;
  dims?: number[];
  dataType?: number;
  rawData?: Uint8Array;
  floatData?: number[];
  externalData?: { key?: string; value?: string }[];
  dataLocation?: number;
}

export interface OnnxAttribute {
  name: string;
  type?: number;
  f?: number;
  i?: number;
  ints?: number[];
  floats?: number[];
  t?: OnnxTensor;
  g?: OnnxGraph;
  graphs?: OnnxGraph[];
  tensors?: OnnxTensor[];
  sparseTensor?: object;
  sparseTensors?: object[];
}

export interface OnnxNode {
  opType: string;
  input?: string[];
  output?: string[];
  name?: string;
  domain?: string;
  attribute?: OnnxAttribute[];
}

export interface OnnxValue {
  name: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim?: { dimValue?: number; dimParam?: string }[] } } };
}

export interface OnnxGraph {
  name?: string;
  node?: OnnxNode[];
  initializer?: OnnxTensor[];
  sparseInitializer?: object[];
  input?: OnnxValue[];
  output?: OnnxValue[];
}

export interface OnnxModel {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  opsetImport?: { domain?: string; version?: number }[];
  graph?: OnnxGraph;
  functions?: object[];
  metadataProps?: { key?: string; value?: string }[];
}

const type = protobuf.parse(onnxProto, { keepCase: false }).root.lookupType('onnx.ModelProto');

export function encodeModel(model: OnnxModel): Uint8Array {
  return type.encode(type.fromObject(model)).finish();
}

/** @throws where the bytes are no ONNX model */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  return type.toObject(type.decode(bytes), { longs: Number }) as OnnxModel;
}

/** A float tensor's shape as a value's type. */
export function floatValue(name: string, dims: readonly number[]): OnnxValue {
  return {
    name,
    type: { tensorType: { elemType: onnxTypes.float, shape: { dim: dims.map(dimValue => ({ dimValue })) } } },
  };
}
