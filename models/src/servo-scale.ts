/** What a servo's own numbers mean: positions in counts, and the steps that a command is rounded to. */
import { angleOfCounts, angleOfPulse, countsOfAngle, pulseOfAngle } from './hobby-servo.js';
import { type CountedServo, countsPerTurn, type Servo } from './site.js';

export interface ServoScale {
  /** Positions are 0 … this. */
  readonly lastCount: number;
  /** Neither rounded nor clipped. */
  countsOfAngle(angleRad: number): number;
  /** Measured angle, with the site's calibration. */
  angleOfCounts(counts: number): number;
  /** Where a servo goes that is told `angleRad`: the nearest angle that it can be told. */
  commandedAngle(angleRad: number): number;
}

/** Of a bus servo. */
export const radPerCount = (2 * Math.PI) / countsPerTurn;
/** The step of kitlink's pulses. */
const pulseStepUs = 0.5;
/** Of the board's converter. */
const lastConverterCount = 1023;

/** Counts at an angle, not rounded. */
export function turnOfAngle({ zeroCount, direction }: CountedServo, angleRad: number): number {
  return zeroCount + (direction * angleRad) / radPerCount;
}

export function angleOfTurn({ zeroCount, direction }: CountedServo, counts: number): number {
  return direction * (counts - zeroCount) * radPerCount;
}

export function servoScale(servo: Servo): ServoScale {
  if (servo.kind === 'hobby-pwm')
    return {
      lastCount: lastConverterCount,
      countsOfAngle: angleRad => countsOfAngle(servo, angleRad),
      angleOfCounts: counts => angleOfCounts(servo, counts),
      commandedAngle: angleRad =>
        angleOfPulse(servo, Math.round(pulseOfAngle(servo, angleRad) / pulseStepUs) * pulseStepUs),
    };
  return {
    lastCount: countsPerTurn - 1,
    countsOfAngle: angleRad => turnOfAngle(servo, angleRad),
    angleOfCounts: counts => angleOfTurn(servo, counts),
    commandedAngle: angleRad => angleOfTurn(servo, Math.round(turnOfAngle(servo, angleRad))),
  };
}
