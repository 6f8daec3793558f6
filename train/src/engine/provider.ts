/** ONNX Runtime's execution providers that the fused engine runs on, and what to do where one is not to be had. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';

import type { EngineName } from './engine.js';

export const providers = ['cpu', 'webgpu', 'cuda', 'coreml', 'dml'] as const;
export type Provider = (typeof providers)[number];

/** The provider of a fused engine's name; undefined for the other engines. */
export function fusedProvider(engine: EngineName): Provider | undefined {
  return providers.find(provider => engine === `fused-${provider}`);
}

/** The one that this system's graphics card is reached by, beside WebGPU. */
export const nativeProvider: Provider =
  process.platform === 'darwin' ? 'coreml' : process.platform === 'win32' ? 'dml' : 'cuda';

/** onnxruntime-node 1.30 has tensors on a device for this provider only ('WebGPU_Buf'); with the others state passes through the CPU's memory at each run. */
export const keepsTensorsOnDevice = (provider: Provider): boolean => provider === 'webgpu';

const remedies: Readonly<Record<Provider, string>> = {
  cpu: 'Type `npm ci`: onnxruntime-node is not whole.',
  webgpu:
    'It needs a graphics driver: Vulkan on Linux (libvulkan1, and the driver of the card), Direct3D 12 on Windows, Metal on macOS. Or use --engine split.',
  cuda: 'Type `kit engine install cuda` (Linux x64; it needs an NVIDIA driver, and CUDA and cuDNN where the linker finds them), or use --engine split.',
  coreml: 'It exists on macOS only; use --engine fused-webgpu or --engine split.',
  dml: 'It exists on Windows only; use --engine fused-webgpu or --engine split.',
};

/** Where onnxruntime-node keeps its library, and looks for those of the providers that it does not bundle. */
export function onnxRuntimeFolder(): string {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return join(dirname(manifest), 'bin', 'napi-v6', process.platform, process.arch);
}

/** What the CUDA provider is made of, beside ONNX Runtime's own library; Linux only. */
export const cudaLibraries = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const;

/** Asked before ONNX Runtime is, which writes half a page about it. @throws KitError E_ENGINE_MISSING */
export function checkCudaLibraries(): void {
  const missing = cudaLibraries.find(name => !existsSync(join(onnxRuntimeFolder(), name)));
  if (process.platform === 'linux' && missing !== undefined)
    throw providerMissing('cuda', new Error(`${missing} is not in ${onnxRuntimeFolder()}.`));
}

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
