/** ONNX Runtime's execution providers that the fused engine runs on, and what to do where one is not to be had. */
import { KitError, messageOf } from '@sim2servo/models/error';

import type { EngineName } from './engine.js';

export const providers = ['cpu', 'webgpu', 'cuda', 'coreml', 'dml'] as const;
export type Provider = (typeof providers)[number];

/** The provider of a fused engine's name; undefined for the other engines. */
export function fusedProvider(engine: EngineName): Provider | undefined {
  return providers.find(provider => engine === `fused-${provider}`);
}

/** onnxruntime-node 1.30 has tensors on a device for this provider only ('WebGPU_Buf'); with the others state passes through the CPU's memory at each run. */
export const keepsTensorsOnDevice = (provider: Provider): boolean => provider === 'webgpu';

const remedies: Readonly<Record<Provider, string>> = {
  cpu: 'Type `npm ci`: onnxruntime-node is not whole.',
  webgpu:
    'It needs a graphics driver: Vulkan on Linux (libvulkan1, and the driver of the card), Direct3D 12 on Windows, Metal on macOS. Or use --engine split.',
  cuda: 'Type `kit engine install cuda` (Linux x64, NVIDIA driver, CUDA 12), or use --engine split.',
  coreml: 'It exists on macOS only; use --engine fused-webgpu or --engine split.',
  dml: 'It exists on Windows only; use --engine fused-webgpu or --engine split.',
};

export function providerMissing(provider: Provider, cause: unknown): KitError {
  // ONNX Runtime puts its own source's path and function before what happened.
  const reason = messageOf(cause)
    .split('\n')[0]!
    .replace(/^.*onnxruntime_src\S+ (?:.* was false\. )?/, '');
  return new KitError(
    'E_ENGINE_MISSING',
    `The engine fused-${provider} can't start here: ${reason}`,
    remedies[provider],
    'usage',
    { cause },
  );
}
