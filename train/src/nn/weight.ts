/** Looks a weight up by name; a missing one is a mistake in an algorithm and says which. */
import { KitError } from '@sim2servo/models/error';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Weights } from '../algorithms/algorithm.js';

export function weight<T extends Tensor = Tensor>(weights: Weights, name: string): T {
  const found = weights[name];
  if (found === undefined) {
    throw new KitError(
      'E_WEIGHT_NAME',
      `There is no weight '${name}' among ${Object.keys(weights).join(', ')}.`,
      'Declare it among the parameters of its group.',
      'bug',
    );
  }
  return found as T;
}

/** The weights whose names start with `prefix/`, under their short names: the inverse of `prefixed`. */
export function weightsUnder(prefix: string, weights: Weights): Weights {
  const start = `${prefix}/`;
  const found: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(weights)) {
    if (name.startsWith(start)) found[name.slice(start.length)] = tensor;
  }
  return found;
}
