/** A world to learn in. Observations are written in place; actions lie in [−1, 1]. */
import type { Random } from '@sim2servo/models/random';

/** Plain data and typed arrays: it crosses threads and goes into checkpoints. */
export type EnvironmentState = object;

export interface Environment {
  readonly observationSize: number;
  readonly actionSize: number;
  /** [observationSize] what the last reset or step wrote; the same array always. */
  readonly observation: Float32Array;
  /** [actionSize] the action that was executed in the last step, after the shield: what learning stores. */
  readonly executedAction: Float32Array;
  /** The task ended by itself: nothing comes after. */
  readonly terminated: boolean;
  /** The episode was cut: the task would have gone on. */
  readonly truncated: boolean;
  /** The task's error now, in m; NaN where the task has none. */
  readonly error: number;
  /** Starts a new episode; all its randomness comes from `random`. */
  reset(random: Random): void;
  /**
   * One control step; afterwards `observation`, `executedAction`, `terminated` and `truncated` say how it ended.
   *
   * @param action [actionSize] in [−1, 1]
   * @returns the reward
   */
  step(action: ArrayLike<number>): number;
  /** Everything that the future depends on, bit for bit. */
  save(): EnvironmentState;
  load(state: EnvironmentState): void;
  dispose(): void;
}
