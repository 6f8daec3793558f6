/**
 * A second arm, moved by hand, that the first one follows. It is only ever read: never armed, so it stays limp.
 *
 * The follower first comes slowly to the leader's posture, then aims at it tick by tick. The leader is read beside the loop and never waited
 * for: a tick takes the newest posture there is, and one that has become too old stops the follower.
 */
import { createServoState, type ServoLink, type ServoMotion } from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';
import type { ControlState } from '@sim2servo/models/control-state';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { freshPosition } from '../arming.js';
import { badPosition } from '../sample-reader.js';
import { approach } from './approach.js';
import type { TargetSource } from './target-policy.js';

/** A posture older than this is nobody's wish any more. With a tick and the hold itself the follower stands well within 100 ms. */
const silentUs = 60_000;
/** How long one read may take; another is begun in the tick after it. */
const readUs = 20_000;
/** So close to the leader's posture the follower has arrived. */
const arrivedRad = 0.02;

export interface LeaderOptions {
  /** The follower's. */
  readonly spec: RobotSpec;
  /** The leader's. */
  readonly link: ServoLink;
  /** The follower's and the link's. */
  readonly clock: Clock;
}

export class LeaderArm implements TargetSource {
  readonly #spec: RobotSpec;
  readonly #link: ServoLink;
  readonly #clock: Clock;
  readonly #motion: ServoMotion;
  readonly #servo;
  /** [joints] rad, the last posture that was all numbers, inside the follower's ranges. */
  readonly #posture: Float64Array;
  #seenUs = Number.NaN;
  #reading = false;
  #error: unknown;
  #bad = '';
  #left = Number.NaN;
  #following = false;

  /** @throws KitError E_LEADER_STIFF, E_NO_SAMPLE, E_POSITION, and those of the link */
  static async open(options: LeaderOptions): Promise<LeaderArm> {
    const { spec, link } = options;
    const motion = await link.open();
    try {
      const servo = createServoState(spec.joints.length);
      await freshPosition(spec, motion, servo);
      if (servo.device !== 'limp')
        throw new KitError(
          'E_LEADER_STIFF',
          `the leader's servos are not limp (${servo.device}${servo.reason === '' ? '' : `: ${servo.reason}`}): it can't be moved by hand`,
          'hold it, and cut the power of its servos for a moment',
          'safetyStop',
        );
      return new LeaderArm(options, motion, servo.position);
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  private constructor({ spec, link, clock }: LeaderOptions, motion: ServoMotion, posture: Float64Array) {
    this.#spec = spec;
    this.#link = link;
    this.#clock = clock;
    this.#motion = motion;
    this.#servo = createServoState(spec.joints.length);
    this.#posture = new Float64Array(posture.length);
    this.#take(posture);
  }

  /** A leader may go further than the follower does. */
  #take(posture: Float64Array): void {
    for (const [j, { range }] of this.#spec.joints.entries())
      this.#posture[j] = Math.max(range[0], Math.min(range[1], posture[j]!));
  }

  /** Whether the follower has come to the leader's posture. */
  get following(): boolean {
    return this.#following;
  }

  prepare(): void {
    // Between the opening and the first tick nobody reads: that is no silence.
    if (Number.isNaN(this.#seenUs)) this.#seenUs = this.#clock.nowUs();
    if (this.#reading || this.#error !== undefined) return;
    this.#reading = true;
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      const fresh = await this.#motion.read(this.#servo, readUs);
      this.#bad = fresh ? badPosition(this.#spec, this.#servo) : '';
      if (!fresh || this.#bad !== '') return;
      this.#take(this.#servo.position);
      this.#seenUs = this.#servo.sampledAtUs;
    } catch (error) {
      this.#error = error;
    } finally {
      this.#reading = false;
    }
  }

  aim(state: Readonly<ControlState>, dtS: number, targets: Float64Array): void {
    this.#checkAlive();
    if (this.#following) {
      targets.set(this.#posture);
      return;
    }
    this.#left = approach(state, this.#posture, dtS, targets);
    this.#following = this.#left < arrivedRad;
  }

  /** @throws KitError E_LEADER_GONE, E_LEADER_SILENT */
  #checkAlive(): void {
    if (this.#error !== undefined)
      throw new KitError(
        'E_LEADER_GONE',
        `the leader has gone: ${messageOf(this.#error)}`,
        'check its cable, then begin again',
        'noDevice',
        { cause: this.#error },
      );
    const ageUs = this.#clock.nowUs() - this.#seenUs;
    if (ageUs > silentUs)
      throw new KitError(
        'E_LEADER_SILENT',
        `the leader gave no posture for ${(ageUs / 1000).toFixed(0)} ms${this.#bad === '' ? '' : `: ${this.#bad}`}`,
        'check its cable and supply, then begin again',
        'noDevice',
      );
  }

  words(): string {
    if (this.#following) return 'follows the leader';
    return `comes to the leader's posture${Number.isNaN(this.#left) ? '' : `: ${this.#left.toFixed(2)} rad to go`}`;
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
