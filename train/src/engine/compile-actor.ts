/** Traces an algorithm's actor for one observation, with its parameters as inputs. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Algorithm, Declaration, Sizes } from '../algorithms/algorithm.js';
import { trace } from '../compile/trace.js';
import type { CompiledActor } from './actor-session.js';
import { groupLayout } from './group-layout.js';

export type ActorKind = 'stochastic' | 'deterministic';

export function compileActor<Config>(
  algorithm: Algorithm<Config>,
  sizes: Sizes,
  config: Config,
  kind: ActorKind = 'stochastic',
): CompiledActor {
  return compileDeclaredActor(algorithm.declare(sizes, config), kind);
}

export function compileDeclaredActor({ actor, groups, sizes }: Declaration, kind: ActorKind): CompiledActor {
  const layout = groupLayout(groups[actor.group]!.parameters);
  const noiseSize = kind === 'stochastic' ? actor.noiseSize : 0;
  const { model } = trace({
    name: `${kind} actor`,
    inputs: {
      ...Object.fromEntries(layout.parameters.map(({ name, shape }) => [name, shape])),
      observation: [1, sizes.observation],
      ...(noiseSize > 0 ? { noise: [1, noiseSize] } : {}),
    },
    run: ({ observation, noise, ...weights }) => ({
      action:
        noise === undefined
          ? actor.actDeterministic(weights, observation as tf.Tensor2D)
          : actor.act(weights, observation as tf.Tensor2D, noise as tf.Tensor2D),
    }),
  });
  return { model, observationSize: sizes.observation, actionSize: sizes.action, noiseSize, layout };
}
