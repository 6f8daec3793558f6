import type { BusCycle } from '@sim2servo/models/bus-cycle';
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';

/**
 * The seam between the runtime and any bus. `ServoLink` is a lifetime: open, configure, close. Once open it hands out the
 * `ServoMotion`, which only the control loop holds.
 */
export interface ServoLink {
  /** Opens the port and checks that the right device with the right limits answers. Nothing moves. */
  open(): Promise<ServoMotion>;
  close(): Promise<void>;
}

/** What the bus said at one instant. The arrays are the reader's own; `read` writes into them. */
export interface ServoState {
  /** Measured joint positions in rad, calibrated by the site. */
  readonly position: Float64Array;
  /** When the positions were sampled, on the host's clock. */
  sampledAtUs: number;
  /** Counts up with every new sample; the same number twice means a stale read. */
  sample: number;
  /** What the device says of itself. */
  device: 'limp' | 'armed' | 'held' | 'latched';
  /** Why it is latched, in words; empty while it is not. */
  reason: string;
  /** Where in its output period the device was when it sampled, and the period: a loop may lock to it. 0 and 0: no such period. */
  phaseUs: number;
  periodUs: number;
  /** Frames lost to checksums or overruns so far, both directions. */
  linkErrors: number;
  /** Round trip of the last answered write in µs, NaN before the first. */
  roundTripUs: number;
}

export type HaltKind =
  /** Freeze the outputs where they are, latched. */
  | 'hold'
  /** Outputs off: the arm goes limp. Only ever on an explicit wish. */
  | 'relax';

/** What a hold goes by: where the joints are, or, where that can't be trusted, where they were told to be. */
export type HoldBy = 'measured' | 'told';

export interface ServoMotion {
  /** What a tick costs on a bus where the host asks; absent where the device streams by itself and `periodUs` sets the rate. */
  readonly cycle?: BusCycle;
  /** Waits for the next sample (at most `timeoutUs`), writes it into `state`, and says whether it is new. */
  read(state: ServoState, timeoutUs: number): Promise<boolean>;
  /**
   * Sends joint targets in rad. Refused by the device unless armed. Never waits.
   *
   * @throws KitError E_NOT_ARMED where {@link arm} was never called, E_TARGET for what is no angle
   */
  write(targets: Float64Array): void;
  /**
   * A new motion session after a fresh position read: goal = present first, then outputs on. Resolves once the device says so.
   *
   * @returns [joints] rad, where each joint was told to stay: the only first target that moves nothing. What was read before is older
   */
  arm(): Promise<Float64Array>;
  /**
   * Resolves once the device has confirmed it of every joint. On an arm that was never given torque a hold is done.
   *
   * @param by of a hold; a bus that simply keeps its outputs has no need of it
   * @throws KitError E_HALT_REFUSED: which joints are not held ({@link notHeld}), after the others were told
   */
  halt(kind: HaltKind, by?: HoldBy): Promise<void>;
}

/** @throws KitError E_NOT_ARMED: whoever moves has armed before. */
export function notArmed(): never {
  throw new KitError('E_NOT_ARMED', 'motion was asked for before arming', 'arm first', 'bug');
}

/** A joint that a hold does not hold, or of which nobody knows. */
export interface Loose {
  readonly who: string;
  /** `NOT held (…)` or `may NOT be held (…)`. */
  readonly why: string;
}

/**
 * A hold that does not hold every joint.
 *
 * @param loose  at least one
 * @param joints of the whole arm
 */
export function notHeld(loose: readonly Loose[], joints: number): KitError {
  const reasons = [...new Set(loose.map(({ why }) => why))];
  const named = reasons.map(reason => {
    const those = loose.filter(({ why }) => why === reason);
    return `${reason}: ${those.map(({ who }) => who).join(', ')}`;
  });
  const rest = loose.length < joints ? 'every other joint holds' : 'no joint is known to hold';
  const hint = 'keep clear: a limp joint falls; support the arm, and cut the power of the servos if it moves';
  return new KitError('E_HALT_REFUSED', `${named.join('; ')}; ${rest}`, hint, 'safetyStop');
}

/** @throws KitError E_TARGET */
export function finiteTarget(joint: string, targetRad: number): number {
  if (Number.isFinite(targetRad)) return targetRad;
  throw new KitError(
    'E_TARGET',
    `the target of '${joint}' is ${targetRad}`,
    'this is a bug: the shield must not let it through',
    'bug',
  );
}

/** An arm that stands this far outside its limits is not pulled back by arming. */
const outsideRad = 0.1;

/**
 * Clips the position that an arm is to be armed at to its range.
 *
 * @param present [joints] rad
 * @throws KitError E_ARM_OUTSIDE where a joint stands further out than feedback may be off
 */
export function keepInside({ joints }: RobotSpec, present: Float64Array): void {
  for (const [j, { name, range }] of joints.entries()) {
    const angle = present[j]!;
    if (angle < range[0] - outsideRad || angle > range[1] + outsideRad)
      throw new KitError(
        'E_ARM_OUTSIDE',
        `joint '${name}' stands at ${angle.toFixed(2)} rad, outside its range [${range}]`,
        'move it back by hand, then try again',
        'safetyStop',
      );
    present[j] = Math.max(range[0], Math.min(range[1], angle));
  }
}

export function createServoState(joints: number): ServoState {
  return {
    position: new Float64Array(joints),
    sampledAtUs: 0,
    sample: 0,
    device: 'limp',
    reason: '',
    phaseUs: 0,
    periodUs: 0,
    linkErrors: 0,
    roundTripUs: Number.NaN,
  };
}
