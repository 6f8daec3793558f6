/** What a robot is asked to do: goals and rewards as pure functions, so that a log can be relabelled. */
import type { Random } from '../random.js';
import type { RobotSpec } from '../robot-spec.js';

export interface JointView {
  /** [joints] measured, rad. */
  readonly position: ArrayLike<number>;
  /** [joints] estimated, rad/s. */
  readonly velocity: ArrayLike<number>;
}

export interface Task {
  readonly name: string;
  /** An episode ends (is truncated) after this time, s. */
  episodeS(spec: RobotSpec, controlRateHz: number): number;
  /** Draws a goal: [3] m. */
  sampleGoal(spec: RobotSpec, random: Random, out: Float64Array): void;
  /** Where a goal that was drawn at `start` ([3] m) has gone after `timeS`; absent: it stays. What a tick saw is what its log says. */
  goalAt?(start: ArrayLike<number>, timeS: number, out: Float64Array): void;
  /** Training episodes start with the fingertip at the goal. */
  readonly startsAtGoal?: boolean;
  /** In simulation the fingertip is pushed with up to `maxN`, another way every `everyS`. */
  readonly push?: { readonly maxN: number; readonly everyS: number };
  /** Of (state, executed action, next state, goal); nothing else. */
  reward(
    spec: RobotSpec,
    before: JointView,
    executed: ArrayLike<number>,
    after: JointView,
    goal: ArrayLike<number>,
  ): number;
  /** How far from the goal, in m. */
  errorM(spec: RobotSpec, position: ArrayLike<number>, goal: ArrayLike<number>): number;
  /** Within this distance the goal counts as reached, in m. */
  readonly reachedM: number;
}
