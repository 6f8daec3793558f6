/**
 * A policy's graph with its weights as inputs: what is left is the network, which many policies share, and a policy is then some arrays of
 * numbers. Another policy of the same network can take over by copying these, where building a session of its own takes a millisecond.
 */
import { decodeModel, encodeModel, floatValue, type OnnxTensor, onnxTypes } from '../onnx-model.js';

export interface WeightTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export interface WeightsApart {
  /** ONNX bytes. The same for two policies of one architecture, whatever they have learnt. */
  readonly network: Uint8Array;
  /** What the network wants besides the policy's own input, in the order of its inputs. */
  readonly weights: readonly WeightTensor[];
}

/** @param model of a verified bundle */
export function weightsApart(model: Uint8Array): WeightsApart {
  const { irVersion, opsetImport, graph } = decodeModel(model);
  const { node, input, output, initializer = [] } = graph!;
  const isWeight = (tensor: OnnxTensor) => tensor.dataType === onnxTypes.float;
  const weights = initializer.filter(isWeight).map(tensor => ({
    name: tensor.name!,
    dims: tensor.dims ?? [],
    data: floats(tensor),
  }));
  const names = new Set(weights.map(({ name }) => name));
  const network = encodeModel({
    ...(irVersion !== undefined && { irVersion }),
    ...(opsetImport && { opsetImport }),
    graph: {
      name: 'network',
      ...(node && { node }),
      ...(output && { output }),
      initializer: initializer.filter(tensor => !isWeight(tensor)),
      // A model may list its initialisers among its inputs, too.
      input: [
        ...(input ?? []).filter(({ name }) => !names.has(name)),
        ...weights.map(({ name, dims }) => floatValue(name, dims)),
      ],
    },
  });
  return { network, weights };
}

function floats({ rawData, floatData }: OnnxTensor): Float32Array {
  // A copy: what was read may begin at any byte.
  return rawData === undefined ? Float32Array.from(floatData ?? []) : new Float32Array(new Uint8Array(rawData).buffer);
}
