/** What every task of Gymnasium has besides {@link Environment}: its observation in full precision, as Gymnasium gives it. */
import type { Environment } from '../environment.js';

export interface GymEnvironment extends Environment {
  /** [observationSize] of which `observation` is the rounded copy. */
  readonly exactObservation: Float64Array;
  /**
   * Starts an episode in a given state, as Gymnasium's `set_state` does.
   *
   * @throws KitError E_EPISODE where the sizes are not the task's
   */
  resetTo(qpos: ArrayLike<number>, qvel: ArrayLike<number>): void;
}
