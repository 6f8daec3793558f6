/**
 * The collecting thread: steps its environment with the stochastic actor and writes transitions into the shared replay.
 *
 * It does nothing by itself: each `collect` message is one block of steps with the parameters that stand in the shared memory at that
 * moment. See collector.ts for the other side.
 */
import { workerData } from 'node:worker_threads';
import { Random } from '@sim2servo/models/random';
import type { EnvironmentState } from '@sim2servo/sim/environment';
import { createEnvironment, type EnvironmentRecipe } from '@sim2servo/sim/environment-recipe';
import { Acting, type CompiledActors } from './acting.js';
import { normalise } from './observation-normaliser.js';
import { ReplayBuffer, type SharedReplay } from './replay/replay-buffer.js';
import { serveTurns } from './worker-turns.js';

/** Everything that the thread's future depends on. */
export interface CollectorState {
  readonly environment: EnvironmentState;
  /** Draws of the environment's resets, and of the actions. */
  readonly resets: readonly number[];
  readonly actions: readonly number[];
}

export interface CollectorSetup {
  readonly environment: EnvironmentRecipe;
  readonly actor: CompiledActors;
  readonly replay: SharedReplay;
  /** [actor parameters], then mean and std of the normaliser: written by the learner between blocks. */
  readonly parameters: SharedArrayBuffer;
  readonly normaliser: SharedArrayBuffer;
  readonly seed: number;
  readonly state?: CollectorState;
}

export type CollectorRequest =
  | { readonly kind: 'collect'; readonly steps: number; readonly uniform: boolean }
  | { readonly kind: 'save' };

/** What `collect` took. */
export interface Collected {
  readonly spentMs: number;
}

export type CollectorReply = CollectorState | Collected;

await serveTurns<CollectorRequest, CollectorReply>(() => prepare(workerData as CollectorSetup));

async function prepare(setup: CollectorSetup): Promise<(request: CollectorRequest) => Promise<CollectorReply>> {
  const environment = await createEnvironment(setup.environment);
  const actor = await Acting.open(setup.actor);
  const replay = ReplayBuffer.attach(setup.replay);
  const size = environment.observationSize;
  const parameters = new Float32Array(setup.parameters);
  const normaliser = {
    mean: new Float32Array(setup.normaliser, 0, size),
    std: new Float32Array(setup.normaliser, size * 4, size),
  };

  const seeds = new Random(setup.seed);
  const resets = setup.state ? Random.restore(setup.state.resets) : seeds.fork('collect: resets');
  const actions = setup.state ? Random.restore(setup.state.actions) : seeds.fork('collect: actions');
  if (setup.state) environment.load(setup.state.environment);
  else environment.reset(resets);

  const observation = new Float32Array(size);
  const normalised = new Float32Array(size);
  const noise = new Float32Array(actor.noiseSize);
  const action = new Float32Array(environment.actionSize);

  const step = async (uniform: boolean) => {
    observation.set(environment.observation);
    if (uniform) for (let i = 0; i < action.length; i++) action[i] = actions.uniform(-1, 1);
    else {
      normalise(normaliser, observation, normalised);
      actions.fillNormal(noise);
      const chosen = actor.act(normalised, noise);
      action.set(chosen instanceof Promise ? await chosen : chosen);
    }
    const reward = environment.step(action);
    const { terminated, truncated } = environment;
    replay.add(observation, environment.executedAction, reward, environment.observation, terminated, truncated);
    if (terminated || truncated) environment.reset(resets);
  };

  return async request => {
    if (request.kind === 'save')
      return { environment: environment.save(), resets: resets.save(), actions: actions.save() };
    const startMs = performance.now();
    actor.load(parameters);
    for (let i = 0; i < request.steps; i++) await step(request.uniform);
    return { spentMs: performance.now() - startMs };
  };
}
