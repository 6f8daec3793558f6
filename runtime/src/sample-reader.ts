/** Brings in the sample that belongs to a deadline, and says whether it and the device behind it can be relied on. */
import type { ServoMotion, ServoState } from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { PeriodLock } from './period-lock.js';

/** Older samples that may lie in the bus's queue after the host was away. */
const maxOldSamples = 16;
/** A read that took less did not wait: the sample was there already. */
const waitedUs = 50;
/** Samples after an arming that may still show the device as it was before. */
const armingSamples = 3;

/** Which joint's position is not a number; empty where all are. */
export function badPosition(spec: RobotSpec, servo: ServoState): string {
  for (let j = 0; j < servo.position.length; j++)
    if (!Number.isFinite(servo.position[j]))
      return `the measured position of joint '${spec.joints[j]!.name}' is ${servo.position[j]}`;
  return '';
}

export class SampleReader {
  /** Why the last sample was unusable although it came; empty where it was usable. */
  bad = '';
  readonly #spec: RobotSpec;
  readonly #motion: ServoMotion;
  readonly #clock: Clock;
  readonly #servo: ServoState;
  #seenArmed = false;
  #samples = 0;

  constructor(spec: RobotSpec, motion: ServoMotion, clock: Clock, servo: ServoState) {
    this.#spec = spec;
    this.#motion = motion;
    this.#clock = clock;
    this.#servo = servo;
  }

  /** Waits half a sample period beyond `deadlineUs` at most; older samples that lie in the queue are passed over. */
  async read(deadlineUs: number, lock: PeriodLock): Promise<boolean> {
    const clock = this.#clock;
    const servo = this.#servo;
    const until = deadlineUs + lock.samplePeriodUs / 2;
    for (let i = 0; i < maxOldSamples; i++) {
      const from = clock.nowUs();
      const fresh = await this.#motion.read(servo, Math.max(0, until - from));
      if (!fresh) return false;
      const now = clock.nowUs();
      lock.observe(servo.sampledAtUs, now, now - from > waitedUs);
      if (now - servo.sampledAtUs < lock.transportUs + 0.75 * lock.samplePeriodUs || now >= until) break;
    }
    this.#samples++;
    this.bad = badPosition(this.#spec, servo);
    return this.bad === '';
  }

  /** Why the device no longer follows, after a read that brought a sample; empty while it does. */
  deviceFault(): string {
    const { device, reason } = this.#servo;
    if (device === 'armed') {
      this.#seenArmed = true;
      return '';
    }
    if (!this.#seenArmed && this.#samples <= armingSamples) return '';
    if (device === 'limp') return `the device went limp by itself: ${reason || 'it was reset or lost its power'}`;
    return `the device has ${device === 'latched' ? 'latched' : 'gone to hold'}${reason === '' ? '' : `: ${reason}`}`;
  }
}
