/** Makes an engine by name. */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { Algorithm, Sizes } from '../algorithms/algorithm.js';
import { EagerEngine } from './eager.js';
import type { Engine, EngineName } from './engine.js';
import { initialState } from './initial-state.js';
import { SplitEngine } from './split.js';

export interface EngineOptions {
  /** Of the split engine: each has an equal part of the batch. */
  readonly threads?: number;
}

/** Parameters start from `random`, drawn in the order of declaration, so every engine starts from the same ones. */
export async function createEngine<Config>(
  name: EngineName,
  algorithm: Algorithm<Config>,
  sizes: Sizes,
  config: Config,
  random: Random,
  { threads = 1 }: EngineOptions = {},
): Promise<Engine> {
  if (threads !== 1 && name !== 'split')
    throw new KitError(
      'E_THREADS',
      `The engine ${name} has no --threads; only split has.`,
      'Leave it out, or use --engine split.',
      'usage',
    );
  const declaration = algorithm.declare(sizes, config);
  const state = initialState(declaration, random);
  switch (name) {
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
