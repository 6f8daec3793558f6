/**
 * Reads weights and normaliser back from an exported policy (export-actor.ts keeps them under their own names), so that a bundle alone is
 * enough to go on learning from.
 */
import { KitError } from '@sim2servo/models/error';
import { decodeModel, onnxTypes } from '@sim2servo/models/onnx-model';
import type { ObservationNormaliser } from './observation-normaliser.js';

export interface PolicyWeights {
  /** By the engine's names: `actor/hidden0/kernel`. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly normaliser: ObservationNormaliser;
}

export function readPolicy(model: Uint8Array): PolicyWeights {
  const tensors = new Map<string, Float32Array>();
  for (const { name, dataType, rawData, floatData } of decodeModel(model).graph?.initializer ?? []) {
    if (name === undefined || dataType !== onnxTypes.float) continue;
    // A copy (Buffer.slice makes none): bytes inside a file lie where they like, a Float32Array wants multiples of four.
    if (rawData !== undefined && rawData.length > 0)
      tensors.set(name, new Float32Array(Uint8Array.from(rawData).buffer));
    else if (floatData !== undefined) tensors.set(name, Float32Array.from(floatData));
  }
  const mean = tensors.get('normaliser/mean');
  const std = tensors.get('normaliser/std');
  const parameters = Object.fromEntries([...tensors].filter(([name]) => name.startsWith('actor/')));
  if (mean === undefined || std === undefined || Object.keys(parameters).length === 0)
    throw new KitError(
      'E_POLICY_FOREIGN',
      `The policy has no weights under the names of the kit (found: ${[...tensors.keys()].join(', ') || 'none'}).`,
      'Fine-tune from a bundle that kit export wrote, or from a run folder.',
      'usage',
    );
  return { parameters, normaliser: { mean, std } };
}
