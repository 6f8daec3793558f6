/** Engines as the command line names them. */
import { KitError } from '@sim2servo/models/error';
import { type EngineName, engineNames } from './engine.js';

/** By the device, each standing for the engine that is meant for it. */
const shortNames: Readonly<Record<string, EngineName>> = {
  cpu: 'split',
  webgpu: 'fused-webgpu',
  cuda: 'fused-cuda',
  coreml: 'fused-coreml',
  dml: 'fused-dml',
  wasm: 'eager-wasm',
  'tfjs-node-gpu': 'eager-tfjs-node-gpu',
};

/** @throws KitError E_ENGINE_UNKNOWN */
export function engineNamed(name: string): EngineName {
  const found =
    engineNames.find(engine => engine === name) ?? (Object.hasOwn(shortNames, name) ? shortNames[name] : undefined);
  if (found !== undefined) return found;
  const known = ['auto', ...Object.keys(shortNames), ...engineNames].join(', ');
  throw new KitError('E_ENGINE_UNKNOWN', `There is no engine '${name}'.`, `Choose one of: ${known}.`, 'usage');
}
