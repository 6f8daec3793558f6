/**
 * Joints by keys: the digits drive joint 1, 2, 3 … one way, the letters below them the other way.
 *
 * A terminal says that a key was pressed, never that it was let go; one that is held repeats about thirty times a second, after a pause of half a
 * second. So a press moves its joint for {@link pressUs} and no longer: a tap is a nudge, a held key goes on once it repeats.
 */
import type { Clock } from '@sim2servo/models/clock';
import type { ControlState } from '@sim2servo/models/control-state';
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { aimByVelocity, velocityWords } from './joint-velocities.js';
import type { TargetSource } from './target-policy.js';

const forward = '1234567890';
const back = 'qwertyuiop';
/** Longer than the pause between two repeats of a held key, and no longer than an arm may go on for nobody. */
export const pressUs = 100_000;

export class JointKeys implements TargetSource {
  readonly #spec: RobotSpec;
  readonly #clock: Clock;
  readonly #speed: number;
  /** [joints] −1, 0 or 1, and until when. */
  readonly #shares: Float64Array;
  readonly #until: Float64Array;

  /** @param speed share of each joint's maximal velocity */
  constructor(spec: RobotSpec, clock: Clock, speed: number) {
    if (spec.joints.length > forward.length)
      throw new KitError(
        'E_KEYS_JOINTS',
        `${spec.name} has ${spec.joints.length} joints, and there are keys for ${forward.length}`,
        'use a leader arm',
        'usage',
      );
    this.#spec = spec;
    this.#clock = clock;
    this.#speed = speed;
    this.#shares = new Float64Array(spec.joints.length);
    this.#until = new Float64Array(spec.joints.length);
  }

  /** Which keys drive which joint. */
  help(): string {
    return this.#spec.joints.map(({ name }, j) => `${forward[j]} ${back[j]} ${name}`).join('   ');
  }

  /** A key was pressed, or repeats. Whether it is one of ours. */
  press(key: string): boolean {
    const up = forward.indexOf(key);
    const joint = up >= 0 ? up : back.indexOf(key);
    if (key.length !== 1 || joint < 0 || joint >= this.#shares.length) return false;
    this.#shares[joint] = up >= 0 ? 1 : -1;
    this.#until[joint] = this.#clock.nowUs() + pressUs;
    return true;
  }

  aim(state: Readonly<ControlState>, dtS: number, targets: Float64Array): void {
    const nowUs = this.#clock.nowUs();
    for (let j = 0; j < this.#shares.length; j++) if (nowUs >= this.#until[j]!) this.#shares[j] = 0;
    aimByVelocity(this.#spec, state, this.#shares, this.#speed, dtS, targets);
  }

  words(): string {
    return velocityWords(this.#spec, this.#shares);
  }
}
