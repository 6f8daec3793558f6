/**
 * The evaluating thread: deterministic and stochastic episodes on an environment and seed of its own, while the learner goes on.
 *
 * Both returns matter: the stochastic one is what training sees, the deterministic one is what will be deployed. Each evaluation starts
 * from the same seed, so two of them differ by their parameters only.
 */
import { workerData } from 'node:worker_threads';
import { Random } from '@sim2servo/models/random';
import { createEnvironment, type EnvironmentRecipe } from '@sim2servo/sim/environment-recipe';
import { Acting, type CompiledActors } from './acting.js';
import { type EpisodeSummary, type Policy, runEpisodes, summarise } from './episodes.js';
import { normalise, type ObservationNormaliser } from './observation-normaliser.js';
import { serveTurns } from './worker-turns.js';

export interface EvaluatorSetup {
  readonly environment: EnvironmentRecipe;
  readonly actor: CompiledActors;
  readonly seed: number;
  readonly episodes: number;
  readonly errorWindow: number;
  readonly reachedM: number;
}

export interface EvaluationRequest {
  /** Flat, as `Engine.readActor` writes them. */
  readonly parameters: Float32Array;
  readonly normaliser: ObservationNormaliser;
}

export interface Evaluation {
  readonly deterministic: EpisodeSummary;
  readonly stochastic: EpisodeSummary;
}

await serveTurns<EvaluationRequest, Evaluation>(() => prepare(workerData as EvaluatorSetup));

async function prepare(setup: EvaluatorSetup): Promise<(request: EvaluationRequest) => Promise<Evaluation>> {
  const environment = await createEnvironment(setup.environment);
  const actor = await Acting.open(setup.actor);
  const normalised = new Float32Array(environment.observationSize);
  const noise = new Float32Array(actor.noiseSize);
  const { episodes: count, errorWindow, reachedM } = setup;
  return async ({ parameters, normaliser }) => {
    actor.load(parameters);
    const run = async (stochastic: boolean): Promise<EpisodeSummary> => {
      const seeds = new Random(setup.seed);
      const starts = seeds.fork('evaluate: episodes');
      const actions = seeds.fork('evaluate: actions');
      const policy: Policy = observation => {
        normalise(normaliser, observation, normalised);
        if (stochastic) actions.fillNormal(noise);
        return actor.act(normalised, stochastic ? noise : undefined);
      };
      return summarise(await runEpisodes(environment, policy, starts, count, { errorWindow }), reachedM);
    };
    return { deterministic: await run(false), stochastic: await run(true) };
  };
}
