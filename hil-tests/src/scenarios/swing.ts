/** A swing of every joint around where it stands: the motion that faults are done to, and that latencies are measured in. */
import type { RobotSpec } from '@sim2servo/models/robot-spec';

/** Swings a second. */
export const swingHz = 0.75;

/**
 * @param speedShare of its greatest speed that a joint has in the middle
 * @returns writes the action of a time, from the beginning of the swing on; before that the arm is told to stay
 */
export function swingOf(spec: RobotSpec, controlRateHz: number, speedShare: number) {
  const { kind, scale } = spec.action;
  const peak = spec.joints.map(({ maxVelocity, range }) => {
    const speed = speedShare * maxVelocity;
    if (kind === 'velocity') return speed / (scale * maxVelocity);
    if (kind === 'delta-position') return speed / (scale * controlRateHz);
    return speed / (2 * Math.PI * swingHz) / ((scale * (range[1] - range[0])) / 2);
  });
  return (action: Float32Array, timeS: number): void => {
    const share = timeS < 0 ? 0 : Math.cos(2 * Math.PI * swingHz * timeS);
    for (let j = 0; j < action.length; j++) action[j] = peak[j]! * share;
  };
}
