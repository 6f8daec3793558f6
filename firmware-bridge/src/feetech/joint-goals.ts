/** Where the joints of an arm of bus servos are and where they are to be, in counts, and how far a goal may lie from the joint. */
import { servosInOrder } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { angleOfTurn, turnOfAngle } from '@sim2servo/models/servo-scale';
import { type CountedServo, countsPerTurn } from '@sim2servo/models/site';
import { keepInside } from '../servo-link.js';
import { encodeRegister, sts3215 } from './registers.js';
import { countRanges } from './servo-memory.js';

const { acceleration, goalPosition, goalTime, goalSpeed } = sts3215;
/** Acceleration, goal position, goal time, goal speed. */
export const motionBytes = goalSpeed.address + goalSpeed.bytes - acceleration.address;

/** The servos' own speed limit lies this far above the shield's, so that rounding never makes it the one that acts. */
const speedMargin = 1.1;
const accelerationUnit = 100;
const maxAcceleration = 254;

export class JointGoals {
  readonly #spec: RobotSpec;
  readonly servos: readonly CountedServo[];
  /** [joints] counts that a goal may be. */
  readonly ranges: readonly (readonly [number, number])[];
  /** [joints] counts a second that a joint may make. */
  readonly #speeds: readonly number[];
  /** [joints] counts as they were measured last. */
  readonly present: Float64Array;
  /** [joints] counts a second as the servos told them last. */
  readonly moving: Float64Array;
  /** [joints] whole counts. */
  readonly goals: Float64Array;

  /** @throws KitError E_SERVO_RANGE */
  constructor(spec: RobotSpec, servos: readonly CountedServo[]) {
    this.#spec = spec;
    this.servos = servosInOrder(spec, { servos });
    this.ranges = countRanges(spec, this.servos);
    this.#speeds = spec.joints.map(({ maxVelocity }) => (maxVelocity * countsPerTurn) / (2 * Math.PI));
    this.present = new Float64Array(spec.joints.length);
    this.moving = new Float64Array(spec.joints.length);
    this.goals = new Float64Array(spec.joints.length);
  }

  /** @param out [joints] measured angles, rad */
  angles(out: Float64Array): void {
    for (let j = 0; j < this.servos.length; j++) out[j] = angleOfTurn(this.servos[j]!, this.present[j]!);
  }

  /** Goals towards `targets` (rad): in range, and no further from the measured position than the joint's velocity comes in `leadS`. */
  aim(targets: Float64Array, leadS: number): void {
    for (let j = 0; j < this.servos.length; j++)
      this.#aim(j, turnOfAngle(this.servos[j]!, targets[j]!), leadS * this.#speeds[j]!);
  }

  /**
   * Goals as they are, but no further ahead than that, and than where a joint that moves towards its goal comes to rest: pulled nearer
   * than that, it would have to turn round.
   *
   * @param coastS how far one coasts, as time at its speed
   */
  shorten(leadS: number, coastS: number): void {
    for (let j = 0; j < this.servos.length; j++) {
      const towards = Math.sign(this.goals[j]! - this.present[j]!) * this.moving[j]!;
      this.#aim(j, this.goals[j]!, leadS * this.#speeds[j]! + coastS * Math.max(0, towards));
    }
  }

  /** Goals where the joints are. @returns [joints] the same in rad @throws KitError E_ARM_OUTSIDE */
  stay(): Float64Array {
    const angles = new Float64Array(this.servos.length);
    this.angles(angles);
    keepInside(this.#spec, angles);
    this.aim(angles, Number.POSITIVE_INFINITY);
    return angles;
  }

  #aim(joint: number, counts: number, reach: number): void {
    const [low, high] = this.ranges[joint]!;
    const present = this.present[joint]!;
    const inRange = Math.max(low, Math.min(high, counts));
    this.goals[joint] = Math.round(Math.max(present - reach, Math.min(present + reach, inRange)));
  }

  /** [joints × 2] the goals as a sync write has them. */
  encodeGoals(): Uint8Array {
    const data = new Uint8Array(this.servos.length * goalPosition.bytes);
    for (let j = 0; j < this.servos.length; j++)
      encodeRegister(goalPosition, this.goals[j]!, data, j * goalPosition.bytes);
    return data;
  }

  /** [joints × {@link motionBytes}] the goals, with the speed and the acceleration that a servo keeps to on its way. */
  encodeMotion(): Uint8Array {
    const data = new Uint8Array(this.servos.length * motionBytes);
    for (const [j, { maxAcceleration: radPerS2, maxVelocity }] of this.#spec.joints.entries()) {
      const speed = this.#speeds[j]!;
      const ramp = Math.ceil(((radPerS2 / maxVelocity) * speed) / accelerationUnit);
      const at = (register: { readonly address: number }) => j * motionBytes + register.address - acceleration.address;
      encodeRegister(acceleration, Math.min(maxAcceleration, ramp), data, at(acceleration));
      encodeRegister(goalPosition, this.goals[j]!, data, at(goalPosition));
      encodeRegister(goalTime, 0, data, at(goalTime));
      encodeRegister(goalSpeed, Math.ceil(speedMargin * speed), data, at(goalSpeed));
    }
    return data;
  }
}
