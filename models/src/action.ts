/** From the policy's action to joint targets and back. Learning uses {@link toAction} of what the shield let through. */
import type { ControlState } from './control-state.js';
import type { RobotSpec } from './robot-spec.js';

/** The target that an action of 0 asks for, and how far ±1 moves it, for joint `j`. */
function centre(spec: RobotSpec, j: number, state: ControlState): number {
  const range = spec.joints[j]!.range;
  return spec.action.kind === 'position' ? (range[0] + range[1]) / 2 : state.target[j]!;
}

function reach(spec: RobotSpec, j: number, dtS: number): number {
  const joint = spec.joints[j]!;
  switch (spec.action.kind) {
    case 'position':
      return (spec.action.scale * (joint.range[1] - joint.range[0])) / 2;
    case 'delta-position':
      return spec.action.scale;
    case 'velocity':
      return spec.action.scale * joint.maxVelocity * dtS;
  }
}

/** How fast an action of ±1, kept up, turns joint `j`: rad/s. */
export function fullSpeed(spec: RobotSpec, j: number, dtS: number): number {
  const { maxVelocity } = spec.joints[j]!;
  return spec.action.kind === 'position' ? maxVelocity : Math.min(maxVelocity, reach(spec, j, dtS) / dtS);
}

/**
 * An action beyond ±1 counts as ±1, so that {@link toAction} can say what was executed; what is not finite stays so (clipping would turn
 * ∞ into an order to move), and the shield refuses it.
 *
 * @param action [joints] in −1 … 1
 * @param out    [joints] rad; not yet limited: that is the shield's part
 */
export function toTargets(
  spec: RobotSpec,
  action: ArrayLike<number>,
  state: ControlState,
  dtS: number,
  out: Float64Array,
): void {
  for (let j = 0; j < spec.joints.length; j++) {
    const asked = action[j]!;
    const clipped = Number.isFinite(asked) ? Math.max(-1, Math.min(1, asked)) : Number.NaN;
    out[j] = centre(spec, j, state) + clipped * reach(spec, j, dtS);
  }
}

/**
 * The action that asks for `targets`: the inverse of {@link toTargets}, clipped to −1 … 1.
 *
 * @param targets [joints] rad
 * @param out     [joints]
 */
export function toAction(
  spec: RobotSpec,
  targets: ArrayLike<number>,
  state: ControlState,
  dtS: number,
  out: Float32Array,
): void {
  for (let j = 0; j < spec.joints.length; j++)
    out[j] = Math.max(-1, Math.min(1, (targets[j]! - centre(spec, j, state)) / reach(spec, j, dtS)));
}
