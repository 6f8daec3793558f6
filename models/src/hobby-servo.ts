/** Joint angle ↔ pulse width ↔ converter counts of one hobby servo: straight lines between the two calibrated ends. */
import type { HobbyServo } from './site.js';

function line(x: number, from: readonly [number, number], to: readonly [number, number]): number {
  return to[0] + ((x - from[0]) * (to[1] - to[0])) / (from[1] - from[0]);
}

/** Pulse that asks for `angleRad`, in µs, not rounded. */
export function pulseOfAngle(servo: HobbyServo, angleRad: number): number {
  return line(angleRad, servo.angleRad, servo.pulseUs);
}

/** Angle that a pulse asks for. */
export function angleOfPulse(servo: HobbyServo, pulseUs: number): number {
  return line(pulseUs, servo.pulseUs, servo.angleRad);
}

/** Measured angle, with the site's calibration offset. */
export function angleOfCounts(servo: HobbyServo, counts: number): number {
  return line(counts, servo.feedback.counts, servo.angleRad) + servo.offsetRad;
}

/** What the feedback potentiometer shows at a true angle; neither rounded nor clipped. */
export function countsOfAngle(servo: HobbyServo, angleRad: number): number {
  return line(angleRad, servo.angleRad, servo.feedback.counts);
}
