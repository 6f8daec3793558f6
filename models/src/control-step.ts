/** The two halves of a control tick around the policy. Simulation and runtime call these, so that they cannot differ. */
import { toAction, toTargets } from './action.js';
import type { ControlState } from './control-state.js';
import type { RobotSpec } from './robot-spec.js';
import { shieldTargets } from './shield.js';

/** Time constant of the velocity estimate: one converter step of 0.18° in 20 ms would show as 0.16 rad/s unfiltered. */
const velocityTimeConstantS = 0.02;

/**
 * Takes in a fresh measurement: position, and velocity as a first-order low-pass of its difference. A measurement that is no number makes
 * the shield refuse the tick; it must not stay in the velocity for ever, so the estimate waits until two good ones follow each other.
 */
export function sense(state: ControlState, measured: ArrayLike<number>, dtS: number): void {
  const weight = dtS / (dtS + velocityTimeConstantS);
  for (let j = 0; j < state.position.length; j++) {
    const difference = (measured[j]! - state.position[j]!) / dtS;
    if (Number.isFinite(difference)) state.velocity[j]! += weight * (difference - state.velocity[j]!);
    state.position[j] = measured[j]!;
  }
}

/**
 * Turns the policy's action into the targets that are executed, and remembers them in `state`.
 *
 * @param action   [joints] in −1 … 1, as the policy asked; of another length, or not finite: the tick is refused
 * @param derate   0 … 1, see {@link shieldTargets}
 * @param targets  [joints] rad, written: what to send
 * @param executed [joints], written: the action that those targets amount to; what learning must use
 * @returns        bits of `limiters`
 */
export function command(
  spec: RobotSpec,
  state: ControlState,
  action: ArrayLike<number>,
  dtS: number,
  derate: number,
  targets: Float64Array,
  executed: Float32Array,
): number {
  toTargets(spec, action, state, dtS, targets);
  // An action of the wrong length goes to the shield as it is, for the shield refuses by length.
  const requested = action.length === targets.length ? targets : action;
  const bits = shieldTargets(spec, state, requested, dtS, derate, targets);
  follow(spec, state, targets, dtS, executed);
  return bits;
}

/**
 * Remembers in `state` that `targets` were sent, whoever chose them.
 *
 * @param executed [joints], written: the action that they amount to
 */
export function follow(
  spec: RobotSpec,
  state: ControlState,
  targets: ArrayLike<number>,
  dtS: number,
  executed: Float32Array,
): void {
  toAction(spec, targets, state, dtS, executed);
  for (let j = 0; j < targets.length; j++) {
    state.targetVelocity[j] = (targets[j]! - state.target[j]!) / dtS;
    state.target[j] = targets[j]!;
  }
  state.actions.copyWithin(executed.length, 0, state.actions.length - executed.length);
  state.actions.set(executed);
}
