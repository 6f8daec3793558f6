/** The optimiser's passes over flat groups: assembly/optimiser.ts, compiled, working in an arena. */
import './webassembly.js';
import { readFileSync } from 'node:fs';
import { KitError } from '@sim2servo/models/error';

export interface OptimiserKernels {
  /** Pointers are byte offsets into the arena. Returns the sum of the squared gradient. */
  readonly adam: (
    parameters: number,
    gradients: number,
    firstMoments: number,
    secondMoments: number,
    count: number,
    stepSize: number,
    rootScale: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ) => number;
  readonly accumulate: (into: number, from: number, count: number, scale: number) => void;
  readonly polyak: (target: number, source: number, count: number, tau: number) => void;
}

export function optimiserKernels(memory: WebAssembly.Memory): OptimiserKernels {
  // Two folders above dist/src/engine.
  const file = new URL('../../optimiser.wasm', import.meta.url);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const hint = 'Type `npm run build`.';
    throw new KitError('E_NOT_BUILT', `The optimiser's kernel ${file.pathname} is missing.`, hint, 'failed', { cause });
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return exports as unknown as OptimiserKernels;
}
