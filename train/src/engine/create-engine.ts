/** Makes an engine by name. */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { Algorithm, Sizes } from '../algorithms/algorithm.js';
import { EagerEngine } from './eager.js';
import type { Engine, EngineName } from './engine.js';
import { FusedEngine } from './fused.js';
import { initialState } from './initial-state.js';
import { fusedProvider } from './provider.js';
import { SplitEngine } from './split.js';

export interface EngineOptions {
  /** Of the split engine: each has an equal part of the batch. 1 unless given. */
  readonly threads?: number | undefined;
  /** Of a fused engine; the others make one update to a call. */
  readonly updatesPerCall?: number | undefined;
}

/** Parameters start from `random`, drawn in the order of declaration, so every engine starts from the same ones. */
export async function createEngine<Config>(
  name: EngineName,
  algorithm: Algorithm<Config>,
  sizes: Sizes,
  config: Config,
  random: Random,
  { threads = 1, updatesPerCall }: EngineOptions = {},
): Promise<Engine> {
  if (threads !== 1 && name !== 'split')
    throw new KitError(
      'E_THREADS',
      `The engine ${name} has no --threads; only split has.`,
      'Leave it out, or use --engine split.',
      'usage',
    );
  const provider = fusedProvider(name);
  if (provider === undefined && (updatesPerCall ?? 1) !== 1)
    throw new KitError(
      'E_UPDATES_PER_CALL',
      `The engine ${name} makes one update to a call, not ${updatesPerCall}.`,
      'Leave updatesPerCall out, or choose a fused engine.',
      'usage',
    );
  const declaration = algorithm.declare(sizes, config);
  const state = initialState(declaration, random);
  if (provider !== undefined) return FusedEngine.create(provider, declaration, state, updatesPerCall);
  switch (name as Exclude<EngineName, `fused-${string}`>) {
    case 'split':
      return SplitEngine.create(declaration, state, { threads });
    case 'eager-cpu':
      return EagerEngine.create('cpu', declaration, state);
    case 'eager-wasm':
      return EagerEngine.create('wasm', declaration, state);
    case 'eager-tfjs-node-gpu':
      return EagerEngine.create('tfjs-node-gpu', declaration, state);
  }
}
