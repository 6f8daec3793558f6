/**
 * The training loop: collect, update, evaluate, keep the best, save. It knows environments only as recipes and the learner only as an engine.
 *
 * One block is `blockSteps` steps of the environment, and meanwhile the updates that they are worth (see collector.ts). Everything that
 * happens at the end of a block, and nothing else, decides what the next one does, so a run saved between two blocks goes on bit for bit.
 */
import { Random } from '@sim2servo/models/random';
import { compileActors } from './acting.js';
import { ActorAverage } from './actor-average.js';
import type { Sizes } from './algorithms/algorithm.js';
import { type SacConfig, sac } from './algorithms/sac.js';
import type { PolicyCheckpoint, RunCheckpoint } from './checkpoint.js';
import { Collector } from './collector.js';
import { createEngine } from './engine/create-engine.js';
import type { Engine, EngineState } from './engine/engine.js';
import type { GroupLayout } from './engine/group-layout.js';
import type { EnvironmentRecipe } from './environment-recipe.js';
import { type Evaluation, Evaluator } from './evaluator.js';
import type { Scalars } from './metrics/metrics-log.js';
import { fitNormaliser, identityNormaliser, type ObservationNormaliser } from './observation-normaliser.js';
import { ReplayMixer, type TransitionSource } from './replay/mixer.js';
import { asReplayBatch, type ReplayBatch, ReplayBuffer } from './replay/replay-buffer.js';
import { RolloutStatistics } from './rollout-statistics.js';
import { ScalarMeans } from './scalar-means.js';
import type { LoopConfig } from './training-config.js';

export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  readonly updates: number;
  readonly stepsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly etaS: number;
  /** Mean return of the last hundred training episodes, NaN before the first. */
  readonly episodeReturn: number;
  /** Of the last evaluation that is done. */
  readonly evaluation?: Evaluation | undefined;
}

/** Where a run starts when it does not start from nothing: fine-tuning. */
export interface Start {
  /** By the engine's names; what is absent is drawn anew: a new ensemble of critics fits no old ones. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly normaliser: ObservationNormaliser;
  /** Transitions from logs, and which share of each batch they make. */
  readonly logged: ReplayBuffer;
  readonly loggedShare: number;
}

export interface LearnOptions {
  readonly loop: LoopConfig;
  readonly sizes: Sizes;
  readonly sac: SacConfig;
  readonly environment: EnvironmentRecipe;
  readonly evaluation: {
    readonly environment: EnvironmentRecipe;
    /** Steps at the end of an episode over which the task's error is averaged. */
    readonly errorWindow: number;
    readonly reachedM: number;
  };
  readonly start?: Start;
  /** Which policy is handed to `onBest`: that of the best evaluation, or the average of the newest ones, where the evaluation cannot know better. */
  readonly keep?: 'best' | 'average';
  readonly resume?: RunCheckpoint;
  readonly onMetrics?: (step: number, scalars: Scalars) => void;
  readonly onBest: (checkpoint: PolicyCheckpoint) => void;
  readonly onCheckpoint: (checkpoint: RunCheckpoint) => void;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Ends the run at the next block, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}

export interface LearnResult {
  /** False where the signal ended it. */
  readonly finished: boolean;
  readonly step: number;
  readonly updates: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly episodeReturn: number;
  readonly best: { readonly step: number; readonly evaluation: Evaluation } | undefined;
}

/** Observations that go with a policy checkpoint. */
const keptObservations = 256;
const progressEveryMs = 250;
/** Updates over which `keep: 'average'` averages. */
const averageHorizon = 2000;

export async function learn(options: LearnOptions): Promise<LearnResult> {
  const { loop, sizes } = options;
  const seeds = new Random(loop.seed);
  const engine = await createEngine(loop.engine, sac, sizes, options.sac, seeds.fork('engine'));
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
    const run = new LearningRun(
      options,
      engine,
      actor.stochastic.layout,
      replay,
      await collector,
      await evaluator,
      seeds.fork('learner'),
    );
    if (start) run.startFrom(start);
    if (resume) run.resume(resume);
    return await run.go();
  } finally {
    if (started.status === 'fulfilled') await started.value.dispose();
    if (judging.status === 'fulfilled') await judging.value.dispose();
    await engine.dispose();
  }
}

class LearningRun {
  readonly #options: LearnOptions;
  readonly #engine: Engine;
  readonly #layout: GroupLayout;
  readonly #average: ActorAverage | undefined;
  readonly #actor: Float32Array;
  readonly #batch: ReplayBatch;
  readonly #replay: ReplayBuffer;
  readonly #collector: Collector;
  readonly #evaluator: Evaluator;
  readonly #rollout = new RolloutStatistics();
  readonly #means = new ScalarMeans();
  #source: TransitionSource;
  #random: Random;
  #normaliser: ObservationNormaliser | undefined;
  #step = 0;
  #best: { readonly step: number; readonly evaluation: Evaluation } | undefined;
  #bestReturn = Number.NEGATIVE_INFINITY;
  #lastEvaluation: Evaluation | undefined;
  #judging:
    | { readonly candidate: Omit<PolicyCheckpoint, 'evaluation'>; readonly evaluation: Promise<Evaluation> }
    | undefined;
  #since = { ms: performance.now(), step: 0, updates: 0 };
  #shownMs = 0;

  constructor(
    options: LearnOptions,
    engine: Engine,
    layout: GroupLayout,
    replay: ReplayBuffer,
    collector: Collector,
    evaluator: Evaluator,
    random: Random,
  ) {
    this.#options = options;
    this.#engine = engine;
    this.#layout = layout;
    this.#actor = new Float32Array(engine.actorLength);
    if (options.keep === 'average') this.#average = new ActorAverage(engine.actorLength, averageHorizon);
    this.#batch = asReplayBatch(engine.batch);
    this.#replay = replay;
    this.#collector = collector;
    this.#evaluator = evaluator;
    this.#random = random;
    this.#source = replay;
    collector.setNormaliser(identityNormaliser(options.sizes.observation));
  }

  startFrom(start: Start): void {
    const drawn = this.#engine.save();
    const known = Object.entries(start.parameters).filter(([name]) => name in drawn.parameters);
    this.#engine.load({ ...drawn, parameters: { ...drawn.parameters, ...Object.fromEntries(known) } });
    this.#source = new ReplayMixer(start.logged, this.#replay, start.loggedShare);
    this.#useNormaliser(start.normaliser);
  }

  resume(checkpoint: RunCheckpoint): void {
    this.#engine.load(checkpoint.engine);
    this.#replay.load(checkpoint.replay);
    this.#rollout.load(checkpoint.rollout);
    this.#random = Random.restore(checkpoint.learner);
    this.#step = checkpoint.step;
    this.#bestReturn = checkpoint.bestReturn;
    if (checkpoint.normaliser) this.#useNormaliser(checkpoint.normaliser);
  }

  async go(): Promise<LearnResult> {
    const { loop, signal } = this.#options;
    const firstStep = this.#step;
    const firstUpdates = this.#engine.updates;
    this.#since = { ms: performance.now(), step: firstStep, updates: firstUpdates };
    const startedMs = performance.now();
    while (this.#step < loop.steps && !signal?.aborted) {
      const before = this.#step;
      await this.#block();
      if (this.#crossed(before, loop.logEvery)) this.#log();
      if (this.#crossed(before, loop.evaluateEvery)) await this.#startEvaluation();
      if (this.#crossed(before, loop.checkpointEvery)) await this.#save();
      this.#showProgress();
    }
    const finished = this.#step >= loop.steps;
    const seconds = (performance.now() - startedMs) / 1000;
    if (finished && this.#normaliser && !this.#crossed(this.#step - loop.blockSteps, loop.evaluateEvery))
      await this.#startEvaluation();
    await this.#save();
    this.#showProgress(true);
    const updates = this.#engine.updates - firstUpdates;
    return {
      finished,
      step: this.#step,
      updates: this.#engine.updates,
      seconds,
      stepsPerSecond: (this.#step - firstStep) / seconds,
      updatesPerSecond: updates / seconds,
      episodeReturn: this.#rollout.meanReturn,
      best: this.#best,
    };
  }

  async #block(): Promise<void> {
    const { loop, start } = this.#options;
    const learning = this.#step >= loop.learningStarts;
    if (learning && this.#normaliser === undefined)
      this.#useNormaliser(fitNormaliser(this.#replay.observation, this.#options.sizes.observation, this.#replay.size));
    this.#engine.readActor(this.#collector.parameters);
    const collecting = this.#collector.collect(loop.blockSteps, !learning && start === undefined);
    if (learning) {
      const owed = (step: number) => Math.floor((step - loop.learningStarts) * loop.updatesPerStep);
      const updates = owed(this.#step + loop.blockSteps) - owed(this.#step);
      for (let i = 0; i < updates; i++) await this.#update();
      this.#engine.readActor(this.#actor);
      this.#average?.add(this.#actor, updates);
    }
    await collecting;
    this.#replay.commit();
    this.#rollout.take(this.#replay, loop.blockSteps);
    this.#step += loop.blockSteps;
  }

  async #update(): Promise<void> {
    this.#source.sample(this.#batch, this.#random, this.#normaliser!);
    this.#engine.drawNoise(this.#random);
    const metrics = this.#engine.update();
    this.#means.add(metrics instanceof Promise ? await metrics : metrics);
  }

  #useNormaliser(normaliser: ObservationNormaliser): void {
    this.#normaliser = normaliser;
    this.#collector.setNormaliser(normaliser);
  }

  #crossed(before: number, every: number): boolean {
    return Math.floor(this.#step / every) > Math.floor(before / every);
  }

  #log(): void {
    const now = performance.now();
    const seconds = (now - this.#since.ms) / 1000;
    this.#options.onMetrics?.(this.#step, {
      ...this.#rollout.scalars,
      ...this.#means.take(),
      'train/learning_rate': this.#options.sac.learningRate,
      'train/n_updates': this.#engine.updates,
      'time/fps': (this.#step - this.#since.step) / seconds,
      'time/updates_per_second': (this.#engine.updates - this.#since.updates) / seconds,
    });
    this.#since = { ms: now, step: this.#step, updates: this.#engine.updates };
  }

  /** Hands a copy of the policy to the evaluating thread; the result is taken when the next evaluation or a checkpoint is due. */
  async #startEvaluation(): Promise<void> {
    await this.#settleEvaluation();
    if (this.#normaliser === undefined) return;
    this.#engine.readActor(this.#actor);
    const parameters = (this.#average?.values ?? this.#actor).slice();
    const candidate = {
      format: 'sim2servo/policy-checkpoint@1',
      step: this.#step,
      engine: this.#withActor(this.#engine.save(), parameters),
      normaliser: this.#normaliser,
      observations: this.#recentObservations(),
    } as const;
    this.#judging = { candidate, evaluation: this.#evaluator.evaluate({ parameters, normaliser: this.#normaliser }) };
  }

  /** The state with another actor: the average, where one is kept. */
  #withActor(state: EngineState, flat: Float32Array): EngineState {
    const actor = this.#layout.parameters.map(({ name, offset, length }) => [
      `actor/${name}`,
      flat.slice(offset, offset + length),
    ]);
    return { ...state, parameters: { ...state.parameters, ...Object.fromEntries(actor) } };
  }

  async #settleEvaluation(): Promise<void> {
    if (this.#judging === undefined) return;
    const { candidate, evaluation: pending } = this.#judging;
    this.#judging = undefined;
    const evaluation = await pending;
    this.#lastEvaluation = evaluation;
    const { deterministic, stochastic } = evaluation;
    this.#options.onMetrics?.(candidate.step, {
      'eval/mean_reward': deterministic.meanReturn,
      'eval/mean_ep_length': deterministic.meanLength,
      'eval/success_rate': deterministic.reached / deterministic.episodes,
      'eval/mean_error_mm': deterministic.meanErrorM * 1000,
      'eval/stochastic_mean_reward': stochastic.meanReturn,
      'eval/stochastic_mean_error_mm': stochastic.meanErrorM * 1000,
    });
    if (this.#options.keep !== 'average' && !(deterministic.meanReturn > this.#bestReturn)) return;
    this.#bestReturn = deterministic.meanReturn;
    this.#best = { step: candidate.step, evaluation };
    this.#options.onBest({ ...candidate, evaluation });
  }

  #recentObservations(): Float32Array {
    const size = this.#options.sizes.observation;
    const count = Math.min(keptObservations, this.#replay.size);
    const stride = Math.floor(this.#replay.size / count);
    const kept = new Float32Array(count * size);
    for (let i = 0; i < count; i++) {
      const row = this.#replay.rowOf(i * stride);
      kept.set(this.#replay.observation.subarray(row * size, (row + 1) * size), i * size);
    }
    return kept;
  }

  async #save(): Promise<void> {
    await this.#settleEvaluation();
    this.#options.onCheckpoint({
      format: 'sim2servo/run-checkpoint@1',
      step: this.#step,
      engine: this.#engine.save(),
      ...(this.#normaliser && { normaliser: this.#normaliser }),
      replay: this.#replay.save(),
      collector: await this.#collector.save(),
      learner: this.#random.save(),
      rollout: this.#rollout.save(),
      bestReturn: this.#bestReturn,
    });
  }

  #showProgress(last = false): void {
    const now = performance.now();
    if (!last && now - this.#shownMs < progressEveryMs) return;
    this.#shownMs = now;
    const { onProgress, loop } = this.#options;
    const seconds = Math.max(1e-3, (now - this.#since.ms) / 1000);
    const stepsPerSecond = (this.#step - this.#since.step) / seconds;
    onProgress?.({
      step: this.#step,
      steps: loop.steps,
      updates: this.#engine.updates,
      stepsPerSecond,
      updatesPerSecond: (this.#engine.updates - this.#since.updates) / seconds,
      etaS: stepsPerSecond > 0 ? (loop.steps - this.#step) / stepsPerSecond : Number.NaN,
      episodeReturn: this.#rollout.meanReturn,
      evaluation: this.#lastEvaluation,
    });
  }
}
