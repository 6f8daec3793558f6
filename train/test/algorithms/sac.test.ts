import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import { type SacConfig, sac } from '../../src/algorithms/sac.js';
import { initialState } from '../../src/engine/initial-state.js';
import { inputShapes } from '../../src/engine/run-program.js';
import { elementCount } from '../../src/nn/parameter.js';
import { gradientError } from '../nn/finite-difference.js';
import { evaluateProgram, lossOf, type Numbers } from './evaluate-program.js';

const near = (
  t: { ok: (found: boolean, message: string) => boolean },
  actual: number | undefined,
  expected: number,
  within = 1e-5,
) => t.ok(Math.abs(actual! - expected) < within, `${actual} is ${expected}`);

/** Without hidden layers everything is linear: actor (mean, raw log std) = o·w + b, critic Q(o, a) = o·w₀ + a·w₁ + b. */
const linear: SacConfig = { ...sac.defaults, hiddenSizes: [], batchSize: 2, gamma: 0.9 };
const one = { observation: 1, action: 1 };
const declaration = sac.declare(one, linear);

const alpha = 0.5;
const weights: Numbers = {
  'actor/out/kernel': [0.5, 0],
  'actor/out/bias': [0.1, 0],
  'logAlpha/value': [Math.log(alpha)],
  'critics/0/out/kernel': [1, 2],
  'critics/0/out/bias': [0],
  'critics/1/out/kernel': [1, 3],
  'critics/1/out/bias': [0.25],
  'targetCritics/0/out/kernel': [2, 1],
  'targetCritics/0/out/bias': [0],
  'targetCritics/1/out/kernel': [2, -1],
  'targetCritics/1/out/bias': [0.1],
};
const batch: Numbers = {
  'batch/observation': [1, -1],
  'batch/action': [0.5, -0.25],
  'batch/reward': [1, 2],
  'batch/nextObservation': [0.4, 0.8],
  'batch/terminated': [0, 1],
  'noise/next': [0.7, -0.2],
  'noise/present': [0.3, -1.1],
};

/** The policy above by hand: raw log std 0 is the middle of [−5, 2]. */
function sampleByHand(observation: number, noise: number) {
  const logStd = -1.5;
  const u = 0.5 * observation + 0.1 + Math.exp(logStd) * noise;
  const density = -0.5 * noise ** 2 - logStd - 0.5 * Math.log(2 * Math.PI);
  return { action: Math.tanh(u), logProbability: density - Math.log(1 - Math.tanh(u) ** 2) };
}

/** The critics' loss by hand for one row's target each. */
function lossByHand(targets: readonly number[]): number {
  const values = [
    [1 + 2 * 0.5, -1 + 2 * -0.25],
    [1 + 3 * 0.5 + 0.25, -1 + 3 * -0.25 + 0.25],
  ];
  const errors = values.map(([a, b]) => ((a! - targets[0]!) ** 2 + (b! - targets[1]!) ** 2) / 2);
  return (errors[0]! + errors[1]!) / 2;
}

const next = sampleByHand(0.4, 0.7);
const lowest = Math.min(0.8 + next.action, 0.8 - next.action + 0.1);

t.test('the critics learn r + γ·(min Q′ − α·log π), and r alone where the episode terminated', async t => {
  const target = 1 + 0.9 * (lowest - alpha * next.logProbability);
  // Terminated: γ·mask stands before the entropy term too, so nothing of the next state is left.
  const { loss } = evaluateProgram(declaration, 'critic', { ...weights, ...batch });
  near(t, loss?.[0], lossByHand([target, 2]));
});

t.test('an episode that was only cut off (truncated, not terminated) goes on in the target', async t => {
  const cut = sampleByHand(0.8, -0.2);
  const later = Math.min(1.6 + cut.action, 1.6 - cut.action + 0.1) - alpha * cut.logProbability;
  const target = 1 + 0.9 * (lowest - alpha * next.logProbability);
  const values = { ...weights, ...batch, 'batch/terminated': [0, 0] };
  near(t, evaluateProgram(declaration, 'critic', values).loss?.[0], lossByHand([target, 2 + 0.9 * later]));
  t.notOk('truncated' in declaration.batch, 'truncation is no input of the losses');
});

t.test('only the critics get a gradient from the critic loss', async t => {
  const outputs = evaluateProgram(declaration, 'critic', { ...weights, ...batch });
  const groups = Object.keys(outputs)
    .filter(key => key.startsWith('gradient/'))
    .map(key => key.split('/')[1]);
  t.same([...new Set(groups)], ['critics']);
});

t.test('the actor climbs the lower critic at its own action in [−1, 1], less the entropy price', async t => {
  const rows = [sampleByHand(1, 0.3), sampleByHand(-1, -1.1)];
  const values = rows.map(({ action }, i) => {
    const observation = i === 0 ? 1 : -1;
    return Math.min(observation + 2 * action, observation + 3 * action + 0.25);
  });
  const expected = rows.reduce((sum, row, i) => sum + alpha * row.logProbability - values[i]!, 0) / 2;
  const outputs = evaluateProgram(declaration, 'actor', { ...weights, ...batch });
  near(t, outputs['metric/train/actor_loss']?.[0], expected);
  near(t, outputs['metric/train/entropy']?.[0], -(rows[0]!.logProbability + rows[1]!.logProbability) / 2);
  near(t, outputs['metric/train/ent_coef']?.[0], alpha);
});

t.test(
  'the temperature follows Adam on log α with the log-probability detached: its gradient is entropy − target',
  async t => {
    const outputs = evaluateProgram(declaration, 'actor', { ...weights, ...batch });
    const entropy = outputs['metric/train/entropy']![0]!;
    near(t, outputs['gradient/logAlpha/value']?.[0], entropy - -1);
    near(t, outputs['metric/train/ent_coef_loss']?.[0], Math.log(alpha) * (entropy + 1));
  },
);

t.test('the temperature loss gives the actor no gradient', async t => {
  const gradientFor = (targetEntropy: number) =>
    evaluateProgram(sac.declare(one, { ...linear, targetEntropy }), 'actor', { ...weights, ...batch })[
      'gradient/actor/out/kernel'
    ];
  t.same(gradientFor(-50), gradientFor(50));
});

t.test("the target entropy 'auto' is −(action dimensions), and a number is taken as it is", async t => {
  const gradientFor = (action: number, targetEntropy: SacConfig['targetEntropy']) => {
    const outputs = evaluateProgram(sac.declare({ observation: 1, action }, { ...linear, targetEntropy }), 'actor', {});
    return outputs['gradient/logAlpha/value']![0]! - outputs['metric/train/entropy']![0]!;
  };
  near(t, gradientFor(3, 'auto'), 3);
  near(t, gradientFor(3, -1.5), 1.5);
});

t.test("with 'mean' the actor climbs the mean of the critics", async t => {
  const rows = [sampleByHand(1, 0.3), sampleByHand(-1, -1.1)];
  const mean = ({ action }: { action: number }, o: number) => (o + 2 * action + o + 3 * action + 0.25) / 2;
  const expected =
    (alpha * (rows[0]!.logProbability + rows[1]!.logProbability) - mean(rows[0]!, 1) - mean(rows[1]!, -1)) / 2;
  const outputs = evaluateProgram(sac.declare(one, { ...linear, actorObjective: 'mean' }), 'actor', {
    ...weights,
    ...batch,
  });
  near(t, outputs['metric/train/actor_loss']?.[0], expected);
});

t.test('with a subset only the drawn target critics count', async t => {
  const subset = sac.declare(one, { ...linear, targetSubset: 1 });
  t.same(subset.noise.targetSubset, { shape: [1, 2], draw: { kind: 'subset', choose: 1 } });
  t.notOk('targetSubset' in declaration.noise, 'all of them need no draw');
  for (const [marks, value] of [
    [[1, 0], 0.8 + next.action],
    [[0, 1], 0.8 - next.action + 0.1],
  ] as const) {
    const target = 1 + 0.9 * (value - alpha * next.logProbability);
    const { loss } = evaluateProgram(subset, 'critic', { ...weights, ...batch, 'noise/targetSubset': marks });
    near(t, loss?.[0], lossByHand([target, 2]));
  }
});

t.test('the targets move after the critics, and before the actor', async t => {
  const order = Array.from(declaration.update(0)).map(step => (step.kind === 'apply' ? step.program : step.average));
  t.same(order, ['critic', 'targetCritics', 'actor']);
});

t.test('initialAlpha is where the temperature starts', async t => {
  const state = initialState(sac.declare(one, { ...linear, initialAlpha: 0.2 }), new Random(1));
  near(t, Math.exp(state.parameters['logAlpha/value']![0]!), 0.2);
});

t.test('the deterministic action is tanh of the mean, and a draw of 0 gives the same', async t => {
  const { actor } = declaration;
  const policy = { 'out/kernel': tf.tensor2d([[0.5, 0.3]]), 'out/bias': tf.tensor1d([0.1, 0.2]) };
  const observation = tf.tensor2d([[1], [-3]]);
  const actions = [...actor.actDeterministic(policy, observation).dataSync()];
  near(t, actions[0], Math.tanh(0.6));
  near(t, actions[1], Math.tanh(-1.4));
  t.same([...actor.act(policy, observation, tf.zeros([2, 1])).dataSync()], actions);
});

t.test('every setting has a default and a sentence', async t => {
  t.same(Object.keys(sac.meaning).sort(), Object.keys(sac.defaults).sort());
  for (const [name, meaning] of Object.entries(sac.meaning)) t.match(meaning, /^[A-Z].*\.$/, name);
});

for (const layerNorm of [false, true]) {
  t.test(`gradients of both losses agree with finite differences (layer norm: ${layerNorm})`, async t => {
    const config: SacConfig = { ...sac.defaults, hiddenSizes: [8], batchSize: 12, criticLayerNorm: layerNorm };
    const small = sac.declare({ observation: 3, action: 2 }, config);
    const random = new Random(8);
    const drawn = Object.fromEntries(
      Object.entries(inputShapes(small)).map(([key, shape]) => {
        const values = new Float32Array(elementCount(shape));
        random.fillNormal(values);
        if (key === 'batch/terminated')
          values.forEach((value, i) => {
            values[i] = value > 1 ? 1 : 0;
          });
        return [key, [...values].map(value => value * 0.7)];
      }),
    );
    // At log α = 0 the temperature's term, whose detached factor finite differences would see, is 0.
    drawn['logAlpha/value'] = [0];
    for (const [program, group] of [
      ['critic', 'critics'],
      ['actor', 'actor'],
    ] as const) {
      const { f, xs } = lossOf(small, program, group, drawn);
      const error = gradientError(f, xs, random);
      t.ok(error < 1e-2, `${program}: ${error}`);
    }
  });
}
