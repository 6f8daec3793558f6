/**
 * Writes the policy that a robot runs: the deterministic actor with its weights, the observation normaliser and the tanh inside, as one
 * ONNX file of plain operators.
 *
 * Input `observation` [1, observation] as models/observe gives it, output `action` [1, action] in [−1, 1]. The weights are initialisers
 * under their own names (`actor/hidden0/kernel`), so a policy can also be read back.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Algorithm, Sizes } from './algorithms/algorithm.js';
import { trace } from './compile/trace.js';
import type { EngineState } from './engine/engine.js';

export interface ActorNormaliser {
  /** [observation] */
  readonly mean: Float32Array;
  /** [observation], above 0 */
  readonly std: Float32Array;
}

export function exportActor<Config>(
  algorithm: Algorithm<Config>,
  sizes: Sizes,
  config: Config,
  state: Pick<EngineState, 'parameters'>,
  normaliser: ActorNormaliser,
): Uint8Array {
  const { actor, groups } = algorithm.declare(sizes, config);
  const parameters = groups[actor.group]!.parameters.map(({ name, shape }) => ({
    name,
    shape,
    key: `${actor.group}/${name}`,
  }));
  const size = [1, sizes.observation];
  return trace({
    name: `${algorithm.name} policy`,
    inputs: {
      observation: size,
      'normaliser/mean': size,
      'normaliser/std': size,
      ...Object.fromEntries(parameters.map(({ key, shape }) => [key, shape])),
    },
    values: {
      'normaliser/mean': normaliser.mean,
      'normaliser/std': normaliser.std,
      ...Object.fromEntries(parameters.map(({ key }) => [key, state.parameters[key]!])),
    },
    run: tensors => {
      const centred = tf.sub(tensors.observation!, tensors['normaliser/mean']!);
      const observation = tf.div(centred, tensors['normaliser/std']!) as tf.Tensor2D;
      const weights = Object.fromEntries(parameters.map(({ name, key }) => [name, tensors[key]!]));
      return { action: actor.actDeterministic(weights, observation) };
    },
  }).model;
}
