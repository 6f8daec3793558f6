/**
 * What a policy's graph may be: one float input, one float output of the right sizes, plain operators. A model is a program: external
 * data can name any file, custom domains any code, control flow any running time. None of it is let in, and nothing that this reader
 * would skip: the bytes must be exactly what it writes for what it has read.
 */
import { KitError, messageOf } from '../error.js';
import {
  decodeModel,
  encodeModel,
  type OnnxGraph,
  type OnnxModel,
  type OnnxTensor,
  type OnnxValue,
  onnxTypes,
} from '../onnx-model.js';

const controlFlow = new Set(['If', 'Loop', 'Scan', 'SequenceMap']);
const plainDomains = new Set(['', 'ai.onnx']);

function refuse(code: string, message: string): never {
  throw new KitError(code, message, 'export the policy again with `kit export`');
}

/** @throws KitError E_MODEL_* */
export function checkPolicyGraph(bytes: Uint8Array, observationSize: number, actionSize: number): void {
  let model: OnnxModel;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    refuse('E_MODEL_PARSE', `policy.onnx is not an ONNX model: ${messageOf(error)}`);
  }
  const graph: OnnxGraph = model.graph ?? refuse('E_MODEL_PARSE', 'policy.onnx is not an ONNX model: it has no graph');
  for (const tensor of graph.initializer ?? [])
    if (isExternal(tensor))
      refuse('E_MODEL_EXTERNAL_DATA', `policy.onnx keeps tensor '${tensor.name}' in another file`);
  for (const { domain } of model.opsetImport ?? [])
    if (!plainDomains.has(domain ?? '')) refuse('E_MODEL_DOMAIN', `policy.onnx imports the custom domain '${domain}'`);
  if ((model.functions?.length ?? 0) > 0) refuse('E_MODEL_DOMAIN', 'policy.onnx defines functions of its own');
  if ((graph.sparseInitializer?.length ?? 0) > 0) refuse('E_MODEL_HIDDEN', 'policy.onnx has sparse tensors');
  for (const node of graph.node ?? []) {
    if (!plainDomains.has(node.domain ?? ''))
      refuse('E_MODEL_DOMAIN', `policy.onnx uses ${node.opType} of the custom domain '${node.domain}'`);
    const nested = node.attribute?.some(a => a.g !== undefined || (a.graphs?.length ?? 0) > 0) ?? false;
    if (controlFlow.has(node.opType) || nested)
      refuse('E_MODEL_CONTROL_FLOW', `policy.onnx uses the control-flow operator ${node.opType}`);
    for (const attribute of node.attribute ?? []) {
      if ([...(attribute.tensors ?? []), attribute.t ?? {}].some(isExternal))
        refuse('E_MODEL_EXTERNAL_DATA', `policy.onnx keeps a constant of ${node.opType} in another file`);
      if (attribute.sparseTensor !== undefined || (attribute.sparseTensors?.length ?? 0) > 0)
        refuse('E_MODEL_HIDDEN', `policy.onnx has sparse tensors in ${node.opType}`);
    }
  }
  // Protobuf readers differ in what they make of unknown or repeated fields: the runtime could see a graph that was not checked here.
  if (Buffer.compare(encodeModel(model), bytes) !== 0)
    refuse('E_MODEL_HIDDEN', 'policy.onnx holds parts that this kit does not read, so it cannot vouch for them');
  const constants = new Set((graph.initializer ?? []).map(tensor => tensor.name));
  const inputs = (graph.input ?? []).filter(input => !constants.has(input.name));
  checkValue(inputs, 'input', 'observation', observationSize);
  checkValue(graph.output ?? [], 'output', 'action', actionSize);
}

function isExternal(tensor: OnnxTensor): boolean {
  return (tensor.externalData?.length ?? 0) > 0 || (tensor.dataLocation ?? 0) !== 0;
}

function checkValue(values: readonly OnnxValue[], side: string, name: string, size: number): void {
  const [value] = values;
  const tensor = value?.type?.tensorType;
  const dims = tensor?.shape?.dim?.map(d => d.dimValue ?? d.dimParam ?? '?').join('×') ?? '?';
  if (values.length !== 1 || value?.name !== name || tensor?.elemType !== onnxTypes.float || dims !== `1×${size}`)
    refuse(
      'E_MODEL_SHAPE',
      `policy.onnx must have one float ${side} '${name}' of 1×${size}; it has ${values.map(v => `'${v.name}'`).join(', ') || 'none'} (${dims})`,
    );
}
