import t from 'tap';
import type { PolicyCheckpoint } from '../src/checkpoint.js';
import type { EngineState } from '../src/engine/engine.js';
import type { EpisodeSummary } from '../src/episodes.js';
import type { Evaluation } from '../src/evaluator.js';
import { identityNormaliser } from '../src/observation-normaliser.js';
import { type JudgeOptions, PolicyJudge } from '../src/policy-judge.js';
import { ReplayBuffer } from '../src/replay/replay-buffer.js';

function evaluationOf(meanReturn: number): Evaluation {
  const summary: EpisodeSummary = {
    episodes: 2,
    meanReturn,
    stdReturn: 0,
    meanLength: 5,
    meanErrorM: 0.02,
    maxErrorM: 0.03,
    reached: 1,
  };
  return { deterministic: summary, stochastic: { ...summary, meanReturn: meanReturn - 1 } };
}

/** A judge over an engine whose actor is the single number `actor`, and an evaluator that gives `returns` in turn. */
function judgeOf(keep: JudgeOptions['keep'], returns: number[]) {
  const seen = {
    actor: 0,
    evaluated: [] as number[],
    kept: [] as PolicyCheckpoint[],
    metrics: [] as [number, Readonly<Record<string, number>>][],
  };
  const replay = ReplayBuffer.create({ capacity: 1000, slack: 0, observationSize: 1, actionSize: 1 });
  for (let i = 0; i < 600; i++)
    replay.add(Float32Array.of(i), Float32Array.of(0), 0, Float32Array.of(i + 1), false, false);
  replay.commit();
  const state = (): EngineState => ({
    algorithm: 'sac',
    updates: 0,
    optimiserSteps: {},
    parameters: { 'actor/w': Float32Array.of(seen.actor), 'critics/q': Float32Array.of(7) },
    firstMoments: {},
    secondMoments: {},
  });
  const judge = new PolicyJudge({
    keep,
    engine: { actorLength: 1, readActor: out => out.fill(seen.actor), save: state },
    layout: { parameters: [{ name: 'w', shape: [1], offset: 0, length: 1 }], length: 1 },
    evaluator: {
      async evaluate({ parameters }) {
        seen.evaluated.push(parameters[0]!);
        return evaluationOf(returns.shift()!);
      },
    },
    replay,
    onKept: checkpoint => seen.kept.push(checkpoint),
    onMetrics: (step, scalars) => seen.metrics.push([step, scalars]),
  });
  return { judge, seen };
}

t.test('only a policy that did better than the one kept so far is kept', async t => {
  const { judge, seen } = judgeOf('best', [5, 3, 5, 6, Number.NaN]);
  for (let step = 1; step <= 5; step++) {
    seen.actor = step;
    await judge.start(step, identityNormaliser(1));
  }
  await judge.settle();
  t.strictSame(
    seen.kept.map(({ step, engine }) => [step, engine.parameters['actor/w']![0]]),
    [
      [1, 1],
      [4, 4],
    ],
  );
  t.equal(judge.kept?.step, 4);
  t.strictSame(judge.lastEvaluation, evaluationOf(Number.NaN));
});

t.test('what is kept is the policy of the start of its evaluation, whatever is learnt meanwhile', async t => {
  const { judge, seen } = judgeOf('best', [5]);
  seen.actor = 1;
  await judge.start(16, identityNormaliser(1));
  seen.actor = 2;
  t.strictSame(seen.kept, [], 'nothing before it is due');
  await judge.settle();
  t.equal(seen.kept[0]!.engine.parameters['actor/w']![0], 1);
  t.equal(seen.kept[0]!.step, 16);
});

t.test('a resumed run goes on with what it had to beat', async t => {
  const { judge, seen } = judgeOf('best', [5, 9]);
  judge.restore({ step: 8, evaluation: evaluationOf(7) });
  await judge.start(16, identityNormaliser(1));
  await judge.settle();
  t.equal(judge.kept?.step, 8);
  await judge.start(32, identityNormaliser(1));
  await judge.settle();
  t.equal(judge.kept?.step, 32);
  t.equal(seen.kept.length, 1);
});

t.test('the average is what is judged and kept where averages are wanted, better or not', async t => {
  const { judge, seen } = judgeOf('average', [5, 3]);
  for (const actor of [1, 3]) {
    seen.actor = actor;
    judge.watch(1);
  }
  await judge.start(1, identityNormaliser(1));
  await judge.start(2, identityNormaliser(1));
  await judge.settle();
  t.equal(seen.kept.length, 2);
  const [first] = seen.kept;
  t.ok(Math.abs(first!.engine.parameters['actor/w']![0]! - 2) < 0.01, 'two actors, one update each');
  t.equal(first!.engine.parameters['critics/q']![0], 7);
  t.equal(seen.evaluated[0], first!.engine.parameters['actor/w']![0]);
});

t.test('evaluations are reported under the names of Stable-Baselines3, with the step they belong to', async t => {
  const { judge, seen } = judgeOf('best', [5]);
  await judge.start(48, identityNormaliser(1));
  await judge.settle();
  t.match(seen.metrics, [
    [
      48,
      { 'eval/mean_reward': 5, 'eval/stochastic_mean_reward': 4, 'eval/success_rate': 0.5, 'eval/mean_error_mm': 20 },
    ],
  ]);
});

t.test('a kept policy comes with observations from all over the replay', async t => {
  const { judge, seen } = judgeOf('best', [5]);
  await judge.start(1, identityNormaliser(1));
  await judge.settle();
  const { observations } = seen.kept[0]!;
  t.equal(observations.length, 256);
  t.equal(new Set(observations).size, 256);
  t.ok(Math.min(...observations) < 120 && Math.max(...observations) === 599);
});
