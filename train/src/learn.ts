/**
 * Trains a policy: makes engine, replay and threads, runs the loop of learning-run.ts, and takes all down again. It knows environments
 * only as recipes and the learner only as an engine.
 */
import { Random } from '@sim2servo/models/random';
import { compileActors } from './acting.js';
import { sac } from './algorithms/sac.js';
import { Collector } from './collector.js';
import { createEngine } from './engine/create-engine.js';
import { Evaluator } from './evaluator.js';
import type { LearnOptions, LearnResult } from './learn-options.js';
import { LearningRun } from './learning-run.js';
import { PolicyJudge } from './policy-judge.js';
import { ReplayBuffer } from './replay/replay-buffer.js';

export async function learn(options: LearnOptions): Promise<LearnResult> {
  const { loop, sizes } = options;
  const seeds = new Random(loop.seed);
  const engine = await createEngine(loop.engine, sac, sizes, options.sac, seeds.fork('engine'), {
    threads: loop.threads,
    updatesPerCall: loop.updatesPerCall,
  });
  const replay = ReplayBuffer.create({
    capacity: loop.replayCapacity,
    slack: loop.blockSteps,
    observationSize: sizes.observation,
    actionSize: sizes.action,
  });
  const { evaluation, start, resume } = options;
  const actor = compileActors(sizes, options.sac);
  const seed = seeds.word();
  const collector = Collector.start({
    environment: options.environment,
    actor,
    replay,
    seed,
    state: resume?.collector,
  });
  const evaluator = Evaluator.start({ ...evaluation, actor, seed, episodes: loop.evaluationEpisodes });
  const [started, judging] = await Promise.allSettled([collector, evaluator]);
  try {
    const judge = new PolicyJudge({
      keep: options.keep ?? 'best',
      engine,
      layout: actor.stochastic.layout,
      evaluator: await evaluator,
      replay,
      onKept: options.onBest,
      onMetrics: (step, scalars) => options.onMetrics?.(step, scalars),
    });
    const run = new LearningRun(options, { engine, replay, judge, collector: await collector }, seeds.fork('learner'));
    if (start) run.startFrom(start);
    if (resume) run.resume(resume);
    return await run.go();
  } finally {
    if (started.status === 'fulfilled') await started.value.dispose();
    if (judging.status === 'fulfilled') await judging.value.dispose();
    await engine.dispose();
  }
}
