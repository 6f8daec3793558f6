/** What one control tick knows: measurement, commands so far, goal. Simulation, runtime and log import hold the same record. */
import type { RobotSpec } from './robot-spec.js';

export interface ControlState {
  /** [joints] measured, rad. */
  readonly position: Float64Array;
  /** [joints] estimated, rad/s. */
  readonly velocity: Float64Array;
  /** [joints] the last target that was executed, rad. */
  readonly target: Float64Array;
  /** [joints] how fast the target moved in the last tick, rad/s. */
  readonly targetVelocity: Float64Array;
  /** [3] the goal point in the base frame, m. */
  readonly goal: Float64Array;
  /** [actionHistory × joints] actions that were executed, newest first: what is still in flight is among them. */
  readonly actions: Float32Array;
}

export function createControlState(spec: RobotSpec): ControlState {
  const n = spec.joints.length;
  return {
    position: new Float64Array(n),
    velocity: new Float64Array(n),
    target: new Float64Array(n),
    targetVelocity: new Float64Array(n),
    goal: new Float64Array(3),
    actions: new Float32Array(n * spec.actionHistory),
  };
}

/** At rest at `position`, with nothing commanded but to stay there. The goal is left as it is. */
export function resetControlState(state: ControlState, position: ArrayLike<number>): void {
  state.position.set(position);
  state.target.set(position);
  state.velocity.fill(0);
  state.targetVelocity.fill(0);
  state.actions.fill(0);
}
