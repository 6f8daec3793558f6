/**
 * One training run, block by block: collect, update, log, evaluate, save.
 *
 * One block is `blockSteps` steps of the environment, and meanwhile the updates that they are worth (see collector.ts). Everything that
 * happens at the end of a block, and nothing else, decides what the next one does, so a run saved between two blocks goes on bit for bit.
 */
import { KitError } from '@sim2servo/models/error';
import type { RunCheckpoint } from './checkpoint.js';
import type { Collector } from './collector.js';
import { learningRateAt } from './engine/adam.js';
import type { Engine } from './engine/engine.js';
import type { Bottleneck, LearnOptions, LearnResult, Start } from './learn-options.js';
import { fitNormaliser, identityNormaliser, type ObservationNormaliser } from './observation-normaliser.js';
import type { PolicyJudge } from './policy-judge.js';
import type { ReplayBuffer } from './replay/replay-buffer.js';
import { RolloutStatistics } from './rollout-statistics.js';
import type { BatchSource } from './sampling/batch-source.js';
import { ScalarMeans } from './scalar-means.js';

const progressEveryMs = 250;

export interface LearningParts {
  readonly engine: Engine;
  /** Fills the engine's batch and noise. */
  readonly batches: BatchSource;
  readonly replay: ReplayBuffer;
  readonly judge: PolicyJudge;
  readonly collector: Collector;
}

export class LearningRun {
  readonly #options: LearnOptions;
  readonly #engine: Engine;
  readonly #batches: BatchSource;
  readonly #replay: ReplayBuffer;
  readonly #judge: PolicyJudge;
  readonly #collector: Collector;
  readonly #rollout = new RolloutStatistics();
  readonly #means = new ScalarMeans();
  #normaliser: ObservationNormaliser | undefined;
  #step = 0;
  #since = { ms: performance.now(), step: 0, updates: 0 };
  #shownMs = 0;
  /** Time that environment and learner took since the last line of metrics. */
  #spentMs = { environment: 0, learner: 0 };

  constructor(options: LearnOptions, { engine, batches, replay, judge, collector }: LearningParts) {
    this.#options = options;
    this.#engine = engine;
    this.#batches = batches;
    this.#replay = replay;
    this.#judge = judge;
    this.#collector = collector;
    collector.setNormaliser(identityNormaliser(options.sizes.observation));
  }

  startFrom(start: Start): void {
    const drawn = this.#engine.save();
    const known = Object.entries(start.parameters).filter(([name]) => name in drawn.parameters);
    this.#engine.load({ ...drawn, parameters: { ...drawn.parameters, ...Object.fromEntries(known) } });
    this.#useNormaliser(start.normaliser);
  }

  resume(checkpoint: RunCheckpoint): void {
    this.#engine.load(checkpoint.engine);
    this.#replay.load(checkpoint.replay);
    this.#rollout.load(checkpoint.rollout);
    this.#step = checkpoint.step;
    if (checkpoint.best) this.#judge.restore(checkpoint.best);
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
      await this.#blockOrSayWhere();
      if (this.#crossed(before, loop.logEvery)) this.#log();
      if (this.#crossed(before, loop.evaluateEvery)) await this.#evaluate();
      if (this.#crossed(before, loop.checkpointEvery)) await this.#save();
      this.#showProgress();
    }
    const finished = this.#step >= loop.steps;
    const seconds = (performance.now() - startedMs) / 1000;
    if (finished && !this.#crossed(this.#step - loop.blockSteps, loop.evaluateEvery)) await this.#evaluate();
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
      best: this.#judge.kept,
    };
  }

  async #blockOrSayWhere(): Promise<void> {
    try {
      await this.#block();
    } catch (error) {
      if (!(error instanceof KitError && error.code === 'E_DIVERGED')) throw error;
      const message = `Learning diverged at step ${this.#step}. ${error.message}`;
      throw new KitError(error.code, message, error.hint, error.exit, { cause: error });
    }
  }

  async #block(): Promise<void> {
    const { loop } = this.#options;
    const learning = this.#step >= loop.learningStarts;
    // Only a run that started from nothing has no normaliser yet, and no policy worth acting by.
    const uniform = !learning && this.#normaliser === undefined;
    if (learning && this.#normaliser === undefined) this.#useNormaliser(this.#firstNormaliser());
    const calls = learning ? this.#callsOfBlock() : 0;
    if (learning) await this.#batches.prepare(calls, this.#normaliser!);
    this.#engine.readActor(this.#collector.parameters);
    const collecting = this.#collector.collect(loop.blockSteps, uniform);
    const startMs = performance.now();
    for (let i = 0; i < calls; i++) await this.#update();
    if (learning) this.#judge.watch(calls * this.#updatesPerCall);
    this.#spentMs.learner += performance.now() - startMs;
    this.#spentMs.environment += await collecting;
    this.#replay.commit();
    this.#rollout.take(this.#replay, loop.blockSteps);
    this.#step += loop.blockSteps;
  }

  get #updatesPerCall(): number {
    return this.#engine.updatesPerCall ?? 1;
  }

  /** Whole calls only: what is left over is owed to the next block. */
  #callsOfBlock(): number {
    const { learningStarts, updatesPerStep, blockSteps } = this.#options.loop;
    const owed = (step: number) => Math.floor(((step - learningStarts) * updatesPerStep) / this.#updatesPerCall);
    return owed(this.#step + blockSteps) - owed(this.#step);
  }

  async #update(): Promise<void> {
    const taking = this.#batches.take();
    if (taking instanceof Promise) await taking;
    const metrics = this.#engine.update();
    this.#means.add(metrics instanceof Promise ? await metrics : metrics);
  }

  /** Nothing can be said of a policy before its first observation was normalised. */
  async #evaluate(): Promise<void> {
    if (this.#normaliser) await this.#judge.start(this.#step, this.#normaliser);
  }

  #firstNormaliser(): ObservationNormaliser {
    const { loop, sizes } = this.#options;
    return loop.normaliseObservations
      ? fitNormaliser(this.#replay.observation, sizes.observation, this.#replay.size)
      : identityNormaliser(sizes.observation);
  }

  #useNormaliser(normaliser: ObservationNormaliser): void {
    this.#normaliser = normaliser;
    this.#collector.setNormaliser(normaliser);
  }

  #crossed(before: number, every: number): boolean {
    return Math.floor(this.#step / every) > Math.floor(before / every);
  }

  #log(): void {
    const { learningRate, learningRateHalvedAfter } = this.#options.sac;
    const now = performance.now();
    const seconds = (now - this.#since.ms) / 1000;
    this.#options.onMetrics?.(this.#step, {
      ...this.#rollout.scalars,
      ...this.#means.take(),
      'train/learning_rate': learningRateAt(
        { learningRate, halvedAfter: learningRateHalvedAfter },
        this.#engine.updates + 1,
      ),
      'train/n_updates': this.#engine.updates,
      'time/fps': (this.#step - this.#since.step) / seconds,
      'time/updates_per_second': (this.#engine.updates - this.#since.updates) / seconds,
    });
    this.#since = { ms: now, step: this.#step, updates: this.#engine.updates };
    this.#spentMs = { environment: 0, learner: 0 };
  }

  /** They work at the same time, so a block takes as long as the slower one. */
  #bottleneck(): Bottleneck | undefined {
    const { environment, learner } = this.#spentMs;
    if (this.#engine.updates === 0) return undefined;
    if (environment > 0.8 * learner && learner > 0.8 * environment) return 'both';
    return environment > learner ? 'environment' : 'learner';
  }

  async #save(): Promise<void> {
    await this.#judge.settle();
    this.#options.onCheckpoint({
      format: 'sim2servo/run-checkpoint@1',
      step: this.#step,
      engine: this.#engine.save(),
      ...(this.#normaliser && { normaliser: this.#normaliser }),
      replay: this.#replay.save(),
      collector: await this.#collector.save(),
      learner: await this.#batches.save(),
      rollout: this.#rollout.save(),
      ...(this.#judge.kept && { best: this.#judge.kept }),
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
      bottleneck: this.#bottleneck(),
      episodeReturn: this.#rollout.meanReturn,
      evaluation: this.#judge.lastEvaluation,
    });
  }
}
