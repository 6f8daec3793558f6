/**
 * Soft Actor-Critic with automatic temperature (Haarnoja et al. 2018, arXiv 1812.05905).
 *
 * What naive versions get wrong is marked where it is done right. The temperature's loss rides in the actor's program, so the actor's
 * forward pass is done once; `detach` keeps the two gradients apart.
 */
import * as tf from '@tensorflow/tfjs-core';
import { detach } from '../nn/detach.js';
import { ensemble, ensembleParameters, mean, minimum, minimumOfSubset } from '../nn/ensemble.js';
import { type MlpShape, mlp, mlpParameters } from '../nn/mlp.js';
import { constantInitialiser } from '../nn/parameter.js';
import { logProbability, preTanhSample, tanhGaussian } from '../nn/tanh-gaussian.js';
import { weight } from '../nn/weight.js';
import type { Algorithm, Declaration, NoiseInput, ProgramInputs, ProgramOutputs, Sizes, Weights } from './algorithm.js';
import { fromLosses } from './short-form.js';

export interface SacConfig {
  readonly hiddenSizes: readonly number[];
  readonly batchSize: number;
  readonly gamma: number;
  readonly tau: number;
  readonly learningRate: number;
  readonly learningRateHalvedAfter: number;
  readonly initialAlpha: number;
  readonly targetEntropy: number | 'auto';
  readonly critics: number;
  readonly targetSubset: number;
  readonly criticLayerNorm: boolean;
  readonly actorObjective: 'min' | 'mean';
  readonly actorEvery: number;
  readonly actorAfter: number;
}

function declare(sizes: Sizes, config: SacConfig): Declaration {
  const actor: MlpShape = {
    inputs: sizes.observation,
    hidden: config.hiddenSizes,
    outputs: 2 * sizes.action,
    layerNorm: false,
  };
  const critic: MlpShape = {
    inputs: sizes.observation + sizes.action,
    hidden: config.hiddenSizes,
    outputs: 1,
    layerNorm: config.criticLayerNorm,
  };
  const targetEntropy = config.targetEntropy === 'auto' ? -sizes.action : config.targetEntropy;
  const optimiser = { learningRate: config.learningRate, halvedAfter: config.learningRateHalvedAfter };
  const subsetDrawn = config.targetSubset < config.critics;

  function values(critics: Weights, observation: tf.Tensor2D, action: tf.Tensor2D): tf.Tensor2D[] {
    const input = tf.concat([observation, action], 1);
    return ensemble(config.critics, critics, weights => mlp(critic, weights, input));
  }

  function sample(weights: Weights, observation: tf.Tensor2D, noise: tf.Tensor2D) {
    const policy = tanhGaussian(mlp(actor, weights, observation));
    const preTanh = preTanhSample(policy, noise);
    // The correction is taken on u: from the action itself it would be a constant beyond |u| ≈ 7, without gradient.
    return { action: tf.tanh(preTanh), logProbability: logProbability(preTanh, noise, policy.logStd) };
  }

  /** ½ Σ over critics of the mean squared distance to r + γ·(1 − terminated)·(min Q′(o′, a′) − α·log π(a′|o′)). */
  function criticLoss({ groups, batch, noise }: ProgramInputs): ProgramOutputs {
    const next = sample(groups.actor!, batch.nextObservation!, noise.next!);
    const targets = values(groups.targetCritics!, batch.nextObservation!, next.action);
    const lowest = subsetDrawn ? minimumOfSubset(targets, noise.targetSubset!) : minimum(targets);
    const alpha = tf.exp(weight(groups.logAlpha!, 'value'));
    // γ and the mask stand before the entropy term too. Only `terminated` masks: a truncated episode would have gone on.
    const soft = tf.sub(lowest, tf.mul(alpha, next.logProbability));
    const mask = tf.mul(tf.sub(1, batch.terminated!), config.gamma);
    const target = tf.add(batch.reward!, tf.mul(mask, soft));
    const errors = values(groups.critics!, batch.observation!, batch.action!).map(value =>
      tf.mean(tf.square(tf.sub(value, target))),
    );
    const loss = tf.mul(
      errors.reduce((sum, error) => tf.add(sum, error)),
      0.5,
    ) as tf.Scalar;
    return { loss, metrics: { 'train/critic_loss': loss } };
  }

  /** Mean of α·log π − Q for the actor, and of −log α·(log π + target entropy) for the temperature. */
  function actorLoss({ groups, batch, noise }: ProgramInputs): ProgramOutputs {
    const { action, logProbability: logPi } = sample(groups.actor!, batch.observation!, noise.present!);
    const combine = config.actorObjective === 'min' ? minimum : mean;
    const value = combine(values(groups.critics!, batch.observation!, action));
    const logAlpha = weight(groups.logAlpha!, 'value');
    // The temperature before its own step, as in Stable-Baselines3.
    const alpha = detach(tf.exp(logAlpha));
    const loss = tf.mean(tf.sub(tf.mul(alpha, logPi), value)) as tf.Scalar;
    const entropy = tf.neg(tf.mean(logPi)) as tf.Scalar;
    const temperatureLoss = tf.mul(logAlpha, tf.sub(detach(entropy), targetEntropy)) as tf.Scalar;
    return {
      loss: tf.add(loss, temperatureLoss),
      metrics: {
        'train/actor_loss': loss,
        'train/ent_coef': alpha as tf.Scalar,
        'train/ent_coef_loss': temperatureLoss,
        'train/entropy': entropy,
      },
    };
  }

  const drawn: Record<string, NoiseInput> = {
    next: { shape: [config.batchSize, sizes.action], draw: { kind: 'normal' } },
    present: { shape: [config.batchSize, sizes.action], draw: { kind: 'normal' } },
  };
  if (subsetDrawn) {
    drawn.targetSubset = { shape: [1, config.critics], draw: { kind: 'subset', choose: config.targetSubset } };
  }

  return fromLosses({
    algorithm: 'sac',
    sizes,
    groups: {
      actor: { parameters: mlpParameters(actor), optimiser },
      critics: { parameters: ensembleParameters(config.critics, mlpParameters(critic)), optimiser },
      logAlpha: {
        parameters: [{ name: 'value', shape: [], initialise: constantInitialiser(Math.log(config.initialAlpha)) }],
        optimiser,
      },
    },
    averages: { targetCritics: { of: 'critics', tau: config.tau } },
    batch: {
      observation: [config.batchSize, sizes.observation],
      action: [config.batchSize, sizes.action],
      reward: [config.batchSize, 1],
      nextObservation: [config.batchSize, sizes.observation],
      terminated: [config.batchSize, 1],
    },
    noise: drawn,
    losses: [
      { name: 'critic', trains: ['critics'], loss: criticLoss },
      {
        name: 'actor',
        trains: ['actor', 'logAlpha'],
        loss: actorLoss,
        every: config.actorEvery,
        after: config.actorAfter,
      },
    ],
    actor: {
      group: 'actor',
      noiseSize: sizes.action,
      act: (weights, observation, noise) => sample(weights, observation, noise).action,
      actDeterministic: (weights, observation) => tf.tanh(tanhGaussian(mlp(actor, weights, observation)).mean),
    },
  });
}

export const sac: Algorithm<SacConfig> = {
  name: 'sac',
  paper: 'Haarnoja et al. 2018, Soft Actor-Critic Algorithms and Applications, arXiv 1812.05905',
  defaults: {
    hiddenSizes: [256, 256],
    batchSize: 256,
    gamma: 0.99,
    tau: 0.005,
    learningRate: 3e-4,
    learningRateHalvedAfter: 0,
    initialAlpha: 1,
    targetEntropy: 'auto',
    critics: 2,
    targetSubset: 2,
    criticLayerNorm: false,
    actorObjective: 'min',
    actorEvery: 1,
    actorAfter: 0,
  },
  meaning: {
    hiddenSizes: 'Units of each hidden layer, in the actor and in every critic.',
    batchSize: 'Transitions drawn from the replay for one update.',
    gamma: 'Discount of the next step: 1/(1 − gamma) is the horizon in steps.',
    tau: 'Share of the critics that flows into the target critics after each critic step.',
    learningRate: 'Step size of Adam for the actor, the critics and the temperature.',
    learningRateHalvedAfter:
      'Updates after which the learning rate has fallen to half; after twice as many to a third, and so on. 0: it never falls.',
    initialAlpha: 'Weight of the entropy at the start; it is learnt from then on.',
    targetEntropy:
      "Entropy that the temperature steers towards; 'auto' is −(action dimensions), for actions in [−1, 1].",
    critics: 'How many critics are trained side by side: 2 is SAC, 10 is REDQ and RLPD.',
    targetSubset: 'How many target critics, drawn anew for each update, the minimum of the target is taken over.',
    criticLayerNorm: 'Layer normalisation in the critics; wanted when learning from logs.',
    actorObjective: "What the actor climbs: the 'min' of the critics (SAC) or their 'mean' (REDQ, RLPD).",
    actorEvery: 'The actor and the temperature learn in every n-th update.',
    actorAfter: 'The actor and the temperature rest for the first n updates, while the critics learn.',
  },
  declare,
};
