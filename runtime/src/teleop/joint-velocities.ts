/** Joints at wished velocities: what keys and sticks ask for. Nothing wished, nothing moves. */
import type { ControlState } from '@sim2servo/models/control-state';
import type { RobotSpec } from '@sim2servo/models/robot-spec';

/** Share of `maxVelocity` that a full deflection asks for, unless somebody says otherwise. */
export const defaultSpeed = 0.25;

/**
 * @param shares  [joints] −1 … 1
 * @param speed   share of each joint's maximal velocity at ±1
 * @param targets [joints] rad, written: on from the last executed target, so that a limit winds nothing up
 */
export function aimByVelocity(
  spec: RobotSpec,
  state: Readonly<ControlState>,
  shares: ArrayLike<number>,
  speed: number,
  dtS: number,
  targets: Float64Array,
): void {
  for (let j = 0; j < targets.length; j++)
    targets[j] = state.target[j]! + shares[j]! * speed * spec.joints[j]!.maxVelocity * dtS;
}

/** Which joints move, in words. */
export function velocityWords(spec: RobotSpec, shares: ArrayLike<number>): string {
  const moving = spec.joints.flatMap(({ name }, j) =>
    shares[j] === 0 ? [] : [`${name} ${shares[j]! > 0 ? '+' : '−'}`],
  );
  return moving.length === 0 ? 'stands' : moving.join(', ');
}
