/**
 * Trains a policy: makes engine, replay and threads, runs the loop of learning-run.ts, and takes all down again. It knows environments
 * only as recipes and the learner only as an engine.
 */
import { Random } from '@sim2servo/models/random';
import { compileActors } from './acting.js';
import { sac } from './algorithms/sac.js';
import { Collector } from './collector.js';
import { createEngine } from './engine/create-engine.js';
import type { Engine } from './engine/engine.js';
import { Evaluator } from './evaluator.js';
import type { LearnOptions, LearnResult } from './learn-options.js';
import { LearningRun } from './learning-run.js';
import { PolicyJudge } from './policy-judge.js';
import { transitionSource } from './replay/mixer.js';
import { ReplayBuffer } from './replay/replay-buffer.js';
import type { BatchSource } from './sampling/batch-source.js';
import { InlineBatches } from './sampling/inline-batches.js';
import { Sampler } from './sampling/sampler.js';
import { samplerPays } from './threads-that-pay.js';

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
  const random = resume ? Random.restore(resume.learner) : seeds.fork('learner');
  const batches = startBatches(options, engine, replay, random);
  const started = await Promise.allSettled([collector, evaluator, batches]);
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
    const run = new LearningRun(options, {
      engine,
      batches: await batches,
      replay,
      judge,
      collector: await collector,
    });
    if (start) run.startFrom(start);
    if (resume) run.resume(resume);
    return await run.go();
  } finally {
    for (const thread of started) if (thread.status === 'fulfilled') await thread.value.dispose();
    await engine.dispose();
  }
}

async function startBatches(
  { loop, sizes, sac: config, start }: LearnOptions,
  engine: Engine,
  replay: ReplayBuffer,
  random: Random,
): Promise<BatchSource> {
  const { noise } = sac.declare(sizes, config);
  const logged = start?.logged;
  const callsPerBlock = (loop.blockSteps * loop.updatesPerStep) / (engine.updatesPerCall ?? 1);
  const where = loop.sampler ?? (samplerPays(loop.threads, callsPerBlock) ? 'thread' : 'inline');
  if (where === 'inline') return new InlineBatches(engine, noise, transitionSource(replay, logged), random);
  return Sampler.start({
    engine,
    noise,
    replay: replay.shared,
    ...(logged && { logged: { ...logged, replay: logged.replay.shared } }),
    random: random.save(),
  });
}
