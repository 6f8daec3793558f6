/** Makes an engine by name. */
import type { Random } from '@sim2servo/models/random';
import type { Algorithm, Sizes } from '../algorithms/algorithm.js';
import type { Engine, EngineName } from './engine.js';

/** Parameters start from `random`, drawn in the order of declaration, so every engine starts from the same ones. */
export async function createEngine<Config>(
  name: EngineName,
  algorithm: Algorithm<Config>,
  sizes: Sizes,
  config: Config,
  random: Random,
): Promise<Engine> {
  const declaration = algorithm.declare(sizes, config);
  throw new Error(`${name} ${declaration.algorithm} ${random.word()}`);
}
