/** The state that a run starts from: drawn parameters, averages equal to their source, moments of zero. */
import type { Random } from '@sim2servo/models/random';
import type { Declaration } from '../algorithms/algorithm.js';
import { elementCount } from '../nn/parameter.js';
import type { EngineState } from './engine.js';

/** Draws in the order of declaration. */
export function initialState(declaration: Declaration, random: Random): EngineState {
  const parameters: Record<string, Float32Array> = {};
  const zeros: Record<string, Float32Array> = {};
  for (const [group, { parameters: declared }] of Object.entries(declaration.groups)) {
    for (const { name, shape, initialise } of declared) {
      const values = new Float32Array(elementCount(shape));
      initialise(random, values);
      parameters[`${group}/${name}`] = values;
      zeros[`${group}/${name}`] = new Float32Array(values.length);
    }
  }
  for (const [average, { of }] of Object.entries(declaration.averages)) {
    for (const { name } of declaration.groups[of]!.parameters) {
      parameters[`${average}/${name}`] = parameters[`${of}/${name}`]!.slice();
    }
  }
  const optimiserSteps = Object.fromEntries(Object.keys(declaration.groups).map(group => [group, 0]));
  const { algorithm } = declaration;
  return { algorithm, updates: 0, optimiserSteps, parameters, firstMoments: zeros, secondMoments: zeros };
}
