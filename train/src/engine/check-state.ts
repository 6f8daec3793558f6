/** Compares a saved state with what a declaration needs, before anything is overwritten. */
import { KitError } from '@sim2servo/models/error';
import type { Declaration } from '../algorithms/algorithm.js';
import { elementCount } from '../nn/parameter.js';
import type { EngineState } from './engine.js';

/** @throws KitError E_ENGINE_STATE naming what is missing or of another size */
export function checkState({ algorithm, groups, averages }: Declaration, state: EngineState): void {
  const refuse = (reason: string) => {
    const hint = 'Load it with the algorithm, network sizes and robot it was saved with.';
    throw new KitError('E_ENGINE_STATE', `This state does not fit the engine: ${reason}.`, hint, 'usage');
  };
  if (state.algorithm !== algorithm) refuse(`it is one of '${state.algorithm}', not of '${algorithm}'`);
  const check = (kind: 'parameters' | 'firstMoments' | 'secondMoments', owner: string, group: string) => {
    for (const { name, shape } of groups[group]!.parameters) {
      const key = `${owner}/${name}`;
      const found = state[kind][key];
      if (found === undefined) refuse(`${kind} lack '${key}'`);
      else if (found.length !== elementCount(shape)) {
        refuse(`${kind} '${key}' has ${found.length} values where [${shape.join(', ')}] is needed`);
      }
    }
  };
  for (const group of Object.keys(groups)) {
    check('parameters', group, group);
    check('firstMoments', group, group);
    check('secondMoments', group, group);
    if (state.optimiserSteps[group] === undefined) refuse(`the optimiser's steps of '${group}' are missing`);
  }
  for (const [average, { of }] of Object.entries(averages)) check('parameters', average, of);
}
