/**
 * Notices a position sensor that has stopped: the same number again and again, while the joint is told to go elsewhere. Nothing on a bus
 * gives it away, for such a servo answers in time and with right sums.
 *
 * A joint that stands gives the same number too, and one that has just been told to move does so until it does: it counts when the target
 * has moved further than a servo may lag, and the position not by one count. A joint that something holds fast looks the same, and to stop
 * is right for that as well.
 */
import type { RobotSpec } from '@sim2servo/models/robot-spec';

/** How far a servo lags behind its target, as time at its greatest speed: its delay, and what it needs to get going. */
const lagS = 0.08;
/** A target never lies further ahead than the lead: a part of that must be enough, too. */
const leadShare = 0.8;

/** How far the target of a joint may move while its position does not, rad. */
export function frozenAfterRad(spec: RobotSpec, joint: number): number {
  const lag = lagS * spec.joints[joint]!.maxVelocity;
  return Math.min(lag, leadShare * (spec.safety.lead ?? Number.POSITIVE_INFINITY));
}

export class FrozenSensors {
  /** Whether one was found: what is measured can't be trusted any more. */
  found = false;
  readonly #spec: RobotSpec;
  /** [joints] rad each: the limit, the position that does not change, and between where the target was since it does not. */
  readonly #limit: Float64Array;
  readonly #position: Float64Array;
  readonly #low: Float64Array;
  readonly #high: Float64Array;

  constructor(spec: RobotSpec) {
    this.#spec = spec;
    this.#limit = Float64Array.from(spec.joints, (_, j) => frozenAfterRad(spec, j));
    this.#position = new Float64Array(spec.joints.length).fill(Number.NaN);
    this.#low = new Float64Array(spec.joints.length);
    this.#high = new Float64Array(spec.joints.length);
  }

  /**
   * Takes in a fresh measurement.
   *
   * @param position [joints] rad, as measured
   * @param target   [joints] rad, as told last
   * @returns which sensor has stopped, in words; empty while all move
   */
  frozen(position: Float64Array, target: Float64Array): string {
    for (let j = 0; j < position.length; j++) {
      const moved = position[j] !== this.#position[j];
      this.#position[j] = position[j]!;
      this.#low[j] = moved ? target[j]! : Math.min(this.#low[j]!, target[j]!);
      this.#high[j] = moved ? target[j]! : Math.max(this.#high[j]!, target[j]!);
      const told = this.#high[j]! - this.#low[j]!;
      if (told <= this.#limit[j]!) continue;
      this.found = true;
      return `joint '${this.#spec.joints[j]!.name}' stays at ${position[j]!.toFixed(3)} rad to the last count, though it was told to move by ${told.toFixed(2)} rad: its sensor has stopped, or something holds it`;
    }
    return '';
  }
}
