/** Slowly to a posture from wherever the arm is, so that nothing jumps: before it follows a leader, before it repeats a log. */
import type { ControlState } from '@sim2servo/models/control-state';

/** The fastest that a joint goes meanwhile, rad/s. */
export const approachRadS = 0.5;

/**
 * @param posture [joints] rad
 * @param targets [joints] rad, written: one tick's way towards it
 * @returns how far the furthest joint's target still is from it after this tick, rad
 */
export function approach(
  state: Readonly<ControlState>,
  posture: ArrayLike<number>,
  dtS: number,
  targets: Float64Array,
): number {
  const step = approachRadS * dtS;
  let left = 0;
  for (let j = 0; j < targets.length; j++) {
    const from = state.target[j]!;
    const way = posture[j]! - from;
    targets[j] = from + Math.max(-step, Math.min(step, way));
    left = Math.max(left, Math.abs(posture[j]! - targets[j]!));
  }
  return left;
}
