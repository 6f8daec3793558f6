/**
 * Which policy of a run is kept: evaluations run on their own thread while the learner goes on, and their results are taken where they are
 * due: at the next evaluation, or before a checkpoint.
 */
import { ActorAverage } from './actor-average.js';
import type { JudgedPolicy, PolicyCheckpoint } from './checkpoint.js';
import type { Engine, EngineState } from './engine/engine.js';
import type { GroupLayout } from './engine/group-layout.js';
import type { Evaluation, Evaluator } from './evaluator.js';
import type { Scalars } from './metrics/metrics-log.js';
import type { ObservationNormaliser } from './observation-normaliser.js';
import type { ReplayBuffer } from './replay/replay-buffer.js';

export interface JudgeOptions {
  /** That of the best evaluation, or the average of the newest ones, where the evaluation cannot know better. */
  readonly keep: 'best' | 'average';
  readonly engine: Pick<Engine, 'actorLength' | 'readActor' | 'save'>;
  /** Where the actor's parameters lie in its flat array. */
  readonly layout: GroupLayout;
  readonly evaluator: Pick<Evaluator, 'evaluate'>;
  readonly replay: ReplayBuffer;
  readonly onKept: (checkpoint: PolicyCheckpoint) => void;
  readonly onMetrics: (step: number, scalars: Scalars) => void;
}

/** Observations that go with a policy checkpoint. */
const keptObservations = 256;
/** Updates over which `keep: 'average'` averages. */
const averageHorizon = 2000;

export class PolicyJudge {
  readonly #options: JudgeOptions;
  readonly #average: ActorAverage | undefined;
  readonly #actor: Float32Array;
  #pending:
    | { readonly candidate: Omit<PolicyCheckpoint, 'evaluation'>; readonly evaluation: Promise<Evaluation> }
    | undefined;
  #kept: JudgedPolicy | undefined;
  #last: Evaluation | undefined;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#actor = new Float32Array(options.engine.actorLength);
    if (options.keep === 'average') this.#average = new ActorAverage(this.#actor.length, averageHorizon);
  }

  /** The policy that was kept last. */
  get kept(): JudgedPolicy | undefined {
    return this.#kept;
  }

  /** What a resumed run had kept. */
  restore(kept: JudgedPolicy): void {
    this.#kept = kept;
  }

  get lastEvaluation(): Evaluation | undefined {
    return this.#last;
  }

  /** After `updates` more updates. */
  watch(updates: number): void {
    if (this.#average === undefined) return;
    this.#options.engine.readActor(this.#actor);
    this.#average.add(this.#actor, updates);
  }

  /** Hands a copy of the policy to the evaluating thread. */
  async start(step: number, normaliser: ObservationNormaliser): Promise<void> {
    await this.settle();
    const { engine, evaluator } = this.#options;
    engine.readActor(this.#actor);
    const parameters = (this.#average?.values ?? this.#actor).slice();
    const candidate = {
      format: 'sim2servo/policy-checkpoint@1',
      step,
      engine: this.#withActor(engine.save(), parameters),
      normaliser,
      observations: this.#recentObservations(),
    } as const;
    this.#pending = { candidate, evaluation: evaluator.evaluate({ parameters, normaliser }) };
  }

  /** Waits for the evaluation under way, if there is one, and keeps its policy if it is to be kept. */
  async settle(): Promise<void> {
    if (this.#pending === undefined) return;
    const { candidate, evaluation: pending } = this.#pending;
    this.#pending = undefined;
    const evaluation = await pending;
    this.#last = evaluation;
    const { deterministic, stochastic } = evaluation;
    this.#options.onMetrics(candidate.step, {
      'eval/mean_reward': deterministic.meanReturn,
      'eval/mean_ep_length': deterministic.meanLength,
      // A task without an error has nothing to reach.
      'eval/success_rate': Number.isNaN(deterministic.meanErrorM)
        ? Number.NaN
        : deterministic.reached / deterministic.episodes,
      'eval/mean_error_mm': deterministic.meanErrorM * 1000,
      'eval/stochastic_mean_reward': stochastic.meanReturn,
      'eval/stochastic_mean_error_mm': stochastic.meanErrorM * 1000,
    });
    const toBeat = this.#kept?.evaluation.deterministic.meanReturn ?? Number.NEGATIVE_INFINITY;
    if (this.#options.keep === 'best' && !(deterministic.meanReturn > toBeat)) return;
    this.#kept = { step: candidate.step, evaluation };
    this.#options.onKept({ ...candidate, evaluation });
  }

  /** The state with another actor: the average, where one is kept. */
  #withActor(state: EngineState, flat: Float32Array): EngineState {
    const actor = this.#options.layout.parameters.map(({ name, offset, length }) => [
      `actor/${name}`,
      flat.slice(offset, offset + length),
    ]);
    return { ...state, parameters: { ...state.parameters, ...Object.fromEntries(actor) } };
  }

  #recentObservations(): Float32Array {
    const { replay } = this.#options;
    const size = replay.shared.observationSize;
    const count = Math.min(keptObservations, replay.size);
    const stride = Math.floor(replay.size / count);
    const kept = new Float32Array(count * size);
    for (let i = 0; i < count; i++) {
      const row = replay.rowOf(i * stride);
      kept.set(replay.observation.subarray(row * size, (row + 1) * size), i * size);
    }
    return kept;
  }
}
