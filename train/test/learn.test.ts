import { Random } from '@sim2servo/models/random';
import type { EnvironmentRecipe } from '@sim2servo/sim/environment-recipe';
import t from 'tap';
import { sac } from '../src/algorithms/sac.js';
import type { PolicyCheckpoint, RunCheckpoint } from '../src/checkpoint.js';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint-file.js';
import { learn } from '../src/learn.js';
import type { LearnOptions, LearnResult, TrainingProgress } from '../src/learn-options.js';
import { identityNormaliser } from '../src/observation-normaliser.js';
import { ReplayBuffer } from '../src/replay/replay-buffer.js';
import { defaultTrainingConfig, type LoopConfig } from '../src/training-config.js';
import { kinematicArm } from './environments/kinematic-arm.js';

const sizes = { observation: 21, action: 2 };
const config = { ...sac.defaults, hiddenSizes: [16, 16], batchSize: 32, gamma: 0.95, learningRate: 1e-3 };
const loop: LoopConfig = {
  ...defaultTrainingConfig.loop,
  seed: 5,
  steps: 640,
  learningStarts: 160,
  replayCapacity: 400,
  evaluateEvery: 200,
  evaluationEpisodes: 2,
  checkpointEvery: 1_000_000,
  logEvery: 100,
};

interface Observed {
  readonly result: LearnResult;
  readonly checkpoints: RunCheckpoint[];
  readonly best: PolicyCheckpoint[];
  readonly metrics: [number, Readonly<Record<string, number>>][];
  readonly progress: TrainingProgress[];
}

async function run(
  options: Partial<LearnOptions> = {},
  environment: EnvironmentRecipe = kinematicArm(),
): Promise<Observed> {
  const observed = {
    checkpoints: [] as RunCheckpoint[],
    best: [] as PolicyCheckpoint[],
    metrics: [] as Observed['metrics'],
    progress: [] as TrainingProgress[],
  };
  const result = await learn({
    loop,
    sizes,
    sac: config,
    environment,
    evaluation: { environment, errorWindow: 25, reachedM: 0.01 },
    onCheckpoint: checkpoint => observed.checkpoints.push(checkpoint),
    onBest: checkpoint => observed.best.push(checkpoint),
    onMetrics: (step, scalars) => observed.metrics.push([step, scalars]),
    onProgress: progress => observed.progress.push(progress),
    ...options,
  });
  return { result, ...observed };
}

const emptyLogs = () =>
  ReplayBuffer.create({ capacity: 50, slack: 0, observationSize: sizes.observation, actionSize: sizes.action });

function someLogs(): ReplayBuffer {
  const logs = emptyLogs();
  const random = new Random(11);
  const [observation, action] = [new Float32Array(sizes.observation), new Float32Array(sizes.action)];
  for (let i = 0; i < 50; i++) {
    random.fillNormal(observation);
    random.fillNormal(action);
    logs.add(observation, action, -random.uniform(), observation, false, false);
    logs.commit();
  }
  return logs;
}

/** The bytes of the whole state: what was kept, too. */
const bits = (checkpoint: RunCheckpoint) => encodeCheckpoint(checkpoint);

t.test('a run that is stopped, saved, loaded and resumed ends bit for bit where an unbroken one does', async t => {
  const whole = await run();
  const stop = new AbortController();
  const first = await run({
    signal: stop.signal,
    onMetrics: step => {
      if (step >= 300) stop.abort();
    },
  });
  t.notOk(first.result.finished);
  const saved = first.checkpoints.at(-1)!;
  t.ok(saved.step > 160 && saved.step < 640, `stopped at ${saved.step}`);
  const second = await run({ resume: decodeCheckpoint(encodeCheckpoint(saved)) as RunCheckpoint });
  t.ok(second.result.finished);
  t.equal(second.result.step, 640);
  t.ok(bits(second.checkpoints.at(-1)!).equals(bits(whole.checkpoints.at(-1)!)));
});

t.test('a run stopped before learning starts resumes bit for bit too', async t => {
  const short = { ...loop, steps: 320, evaluateEvery: 1_000_000 };
  const whole = await run({ loop: short });
  const stop = new AbortController();
  const first = await run({ loop: short, signal: stop.signal, onMetrics: () => stop.abort() });
  const saved = first.checkpoints.at(-1)!;
  t.ok(saved.step < 160 && saved.normaliser === undefined);
  const second = await run({ loop: short, resume: decodeCheckpoint(encodeCheckpoint(saved)) as RunCheckpoint });
  t.ok(bits(second.checkpoints.at(-1)!).equals(bits(whole.checkpoints.at(-1)!)));
});

t.test('the same seed gives the same run, another seed another', async t => {
  const short = { ...loop, steps: 320, evaluateEvery: 1_000_000 };
  const [a, b, c] = [
    await run({ loop: short }),
    await run({ loop: short }),
    await run({ loop: { ...short, seed: 6 } }),
  ];
  t.ok(bits(a.checkpoints[0]!).equals(bits(b.checkpoints[0]!)));
  t.notOk(bits(a.checkpoints[0]!).equals(bits(c.checkpoints[0]!)));
});

t.test('an engine that answers late learns the same', async t => {
  const short = { ...loop, steps: 192, evaluateEvery: 1_000_000 };
  const [split, eager] = [await run({ loop: short }), await run({ loop: { ...short, engine: 'eager-cpu' } })];
  const [a, b] = [split, eager].map(({ checkpoints }) => checkpoints[0]!.engine.parameters);
  const worst = Math.max(
    ...Object.entries(a!).flatMap(([name, values]) => [...values].map((value, i) => Math.abs(value - b![name]![i]!))),
  );
  t.ok(worst < 1e-4, `${worst}`);
});

t.test(
  'an engine that makes several updates at once makes whole calls, and owes the rest to the next block',
  async t => {
    // 12 blocks of 16 steps learn, 12 updates each: two calls of 5 in the first block, and 28 in all.
    const fused = { ...loop, steps: 352, updatesPerStep: 0.75, engine: 'fused-cpu' as const, updatesPerCall: 5 };
    const { result, checkpoints } = await run({ loop: fused });
    t.equal(result.updates, 140);
    t.same(checkpoints.at(-1)!.engine.optimiserSteps, { actor: 140, critics: 140, logAlpha: 140 });
  },
);

t.test('a thread that draws the batches changes no bit of a run, nor of one that is resumed', async t => {
  const short = { ...loop, steps: 352, evaluateEvery: 1_000_000 };
  const logged = { replay: someLogs(), share: 0.5 };
  const start = { parameters: {}, normaliser: identityNormaliser(sizes.observation), logged };
  const variants: Record<string, Partial<LearnOptions> & { loop: LoopConfig }> = {
    'one update to a call': { loop: short },
    'on two threads': { loop: { ...short, threads: 2 } },
    'five updates to a call': { loop: { ...short, updatesPerStep: 0.75, engine: 'fused-cpu', updatesPerCall: 5 } },
    'mixed with logs': { loop: short, start },
  };
  for (const [title, options] of Object.entries(variants)) {
    const [inline, thread] = [
      await run({ ...options, loop: { ...options.loop, sampler: 'inline' } }),
      await run({ ...options, loop: { ...options.loop, sampler: 'thread' } }),
    ];
    t.ok(thread.result.updates > 0);
    t.ok(bits(thread.checkpoints.at(-1)!).equals(bits(inline.checkpoints.at(-1)!)), title);
    if (title !== 'one update to a call') continue;
    const stop = new AbortController();
    const half = await run({
      loop: { ...short, sampler: 'thread' },
      signal: stop.signal,
      onMetrics: step => {
        if (step >= 200) stop.abort();
      },
    });
    const saved = half.checkpoints.at(-1)!;
    t.ok(saved.step > 160 && saved.step < 352, `stopped at ${saved.step}`);
    for (const sampler of ['thread', 'inline'] as const) {
      const resume = decodeCheckpoint(encodeCheckpoint(saved)) as RunCheckpoint;
      const rest = await run({ loop: { ...short, sampler }, resume });
      t.ok(bits(rest.checkpoints.at(-1)!).equals(bits(inline.checkpoints.at(-1)!)), `resumed, ${sampler}`);
    }
  }
});

t.test('a sampler thread that fails ends the run with its own error', async t => {
  const logged = { replay: emptyLogs(), share: 0.5 };
  const start = { parameters: {}, normaliser: identityNormaliser(sizes.observation), logged };
  for (const sampler of ['thread', 'inline'] as const)
    await t.rejects(run({ loop: { ...loop, sampler }, start }), { code: 'E_REPLAY_EMPTY' }, sampler);
});

t.test('evaluations and metrics are reported with the steps they belong to', async t => {
  const { result, metrics, best, progress } = await run();
  const evaluated = metrics.filter(([, scalars]) => 'eval/mean_reward' in scalars).map(([step]) => step);
  t.strictSame(evaluated, [208, 400, 608, 640], 'the last policy is judged too');
  for (const name of [
    'rollout/ep_rew_mean',
    'train/critic_loss',
    'train/actor_loss',
    'train/ent_coef',
    'train/n_updates',
    'time/fps',
  ])
    t.ok(
      metrics.some(([, scalars]) => name in scalars),
      name,
    );
  t.equal(result.updates, 480, 'one update for each step after learning started');
  const returns = best.map(checkpoint => checkpoint.evaluation.deterministic.meanReturn);
  t.strictSame(
    returns,
    [...returns].sort((a, b) => a - b),
    'a new best is better than the last',
  );
  t.equal(result.best?.step, best.at(-1)?.step);
  t.equal(progress.at(-1)?.step, 640);
});

t.test('the average of the newest actors is kept where the evaluation cannot know better', async t => {
  const { best } = await run({ keep: 'average' });
  t.strictSame(
    best.map(checkpoint => checkpoint.step),
    [208, 400, 608, 640],
  );
});

t.test('an environment that fails in its thread ends the run with its own error', async t => {
  const crashing = (options: Record<string, unknown>) => ({
    module: new URL('./environments/crashing.js', import.meta.url).href,
    options,
  });
  const evaluation = { environment: kinematicArm(), errorWindow: 25, reachedM: 0.01 };
  await t.rejects(run({ evaluation }, crashing({ when: 'create' })), {
    code: 'E_SCENE',
    hint: 'mend it',
    exit: 'usage',
  });
  await t.rejects(run({ evaluation }, crashing({ when: 'step', after: 100 })), {
    code: 'E_PHYSICS',
    message: 'the physics blew up',
  });
  await t.rejects(run({ evaluation }, crashing({ when: 'exit', after: 100 })), { code: 'E_WORKER', message: /code 3/ });
  await t.rejects(run({ evaluation: { ...evaluation, environment: crashing({ when: 'create' }) } }), {
    code: 'E_SCENE',
  });
  await t.rejects(run({}, { module: 'no-such-package', options: {} }), { code: 'E_ENVIRONMENT' });
});

t.test('a policy that nothing moves away from is learnt: the arm comes closer', async t => {
  const { result } = await run({
    sac: { ...config, hiddenSizes: [32, 32], batchSize: 64 },
    loop: {
      ...loop,
      steps: 6400,
      learningStarts: 800,
      replayCapacity: 10_000,
      evaluateEvery: 1600,
      evaluationEpisodes: 8,
    },
  });
  const error = result.best!.evaluation.deterministic.meanErrorM;
  t.ok(error < 0.06, `mean error ${(error * 1000).toFixed(1)} mm; an arm that stays where it is has about 170`);
});
