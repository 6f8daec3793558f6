/** The learner's handle on the evaluating thread (evaluate-worker.ts): starts an evaluation, and hands it out when it is done. */
import type { Evaluation, EvaluationRequest, EvaluatorSetup } from './evaluate-worker.js';
import { WorkerTurns } from './worker-turns.js';

export type { Evaluation, EvaluatorSetup } from './evaluate-worker.js';

export class Evaluator {
  readonly #turns: WorkerTurns<EvaluationRequest, Evaluation>;

  private constructor(turns: WorkerTurns<EvaluationRequest, Evaluation>) {
    this.#turns = turns;
  }

  static async start(setup: EvaluatorSetup): Promise<Evaluator> {
    return new Evaluator(await WorkerTurns.start(new URL('./evaluate-worker.js', import.meta.url), setup));
  }

  evaluate(request: EvaluationRequest): Promise<Evaluation> {
    return this.#turns.ask(request);
  }

  dispose(): Promise<void> {
    return this.#turns.dispose();
  }
}
