/**
 * An arm as its bus would be without a wire or a firmware: samples exactly on time, targets that act at once, and the rules of
 * `ServoMotion` (limp until armed, a deadline that latches, a hold that stays) kept to the microsecond. In this process, in virtual time:
 * time runs while somebody waits for it.
 *
 * A board like kitlink's has a sample every 20 ms and says so. Servos that are polled answer whenever they are asked: a sample is never
 * older than a millisecond, and there is no period to lock to.
 */
import {
  finiteTarget,
  type HaltKind,
  notArmed,
  type ServoLink,
  type ServoMotion,
  type ServoState,
} from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';
import { Random } from '@sim2servo/models/random';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { silenceMs } from '@sim2servo/models/site';
import { nominalArm } from '@sim2servo/sim/arm-variation';
import { ServoArm } from '@sim2servo/sim/servo-arm';
import { fallS } from './bus/mechanics.js';
import type { Rig, RigOptions } from './rig.js';

const boardPeriodUs = 20_000;
const polledPeriodUs = 1_000;

export class IdealRig implements Rig, Clock, ServoMotion {
  readonly virtualTime = true;
  readonly clock = this;
  readonly #robot: LoadedRobot;
  readonly #arm: ServoArm;
  readonly #deadlineUs: number;
  readonly #samplePeriodUs: number;
  /** What the device says its period is. */
  readonly #outputPeriodUs: number;
  /** Of the last sample, rad. */
  readonly #position: Float64Array;
  readonly #targets: Float64Array;
  #nowUs = 0;
  #sample = 0;
  #samplesRead = 0;
  #device: ServoState['device'] = 'limp';
  #reason = '';
  #fedUs = 0;
  /** The host has armed since it opened the link. */
  #hostArmed = false;

  private constructor(robot: LoadedRobot, arm: ServoArm) {
    this.#robot = robot;
    this.#arm = arm;
    const { bus } = robot.site;
    this.#deadlineUs = silenceMs(bus) * 1000;
    this.#samplePeriodUs = bus.kind === 'kitlink' ? boardPeriodUs : polledPeriodUs;
    this.#outputPeriodUs = bus.kind === 'kitlink' ? boardPeriodUs : 0;
    this.#position = new Float64Array(arm.joints);
    this.#targets = new Float64Array(arm.joints);
  }

  static async create(robot: LoadedRobot, { variation = nominalArm, seed = 0 }: RigOptions): Promise<IdealRig> {
    const arm = await ServoArm.create(robot);
    arm.reset(
      robot.spec.joints.map(joint => joint.home),
      variation,
      new Random(seed),
    );
    arm.advance(fallS);
    return new IdealRig(robot, arm);
  }

  connect(): ServoLink {
    return {
      open: async () => {
        this.#hostArmed = false;
        await this.waitUntil(this.#nextSampleUs);
        return this;
      },
      // The wire is gone; what the arm does about that, its deadline decides.
      close: async () => {},
    };
  }

  async close(): Promise<void> {
    this.#arm.dispose();
  }

  nowUs(): number {
    return this.#nowUs;
  }

  get #nextSampleUs(): number {
    return (this.#sample + 1) * this.#samplePeriodUs;
  }

  async waitUntil(timeUs: number): Promise<void> {
    while (this.#nextSampleUs <= timeUs) {
      this.#advance(this.#nextSampleUs);
      this.#sample++;
      for (let j = 0; j < this.#position.length; j++) this.#position[j] = this.#arm.feedbackAngle(j);
    }
    this.#advance(timeUs);
  }

  #advance(timeUs: number): void {
    if (timeUs <= this.#nowUs) return;
    this.#arm.advance((timeUs - this.#nowUs) / 1e6);
    this.#nowUs = timeUs;
    if (this.#device !== 'armed' || timeUs - this.#fedUs <= this.#deadlineUs) return;
    this.#device = 'latched';
    this.#reason = 'no motion command came in time';
  }

  async read(out: ServoState, timeoutUs: number): Promise<boolean> {
    if (this.#sample === this.#samplesRead) await this.waitUntil(Math.min(this.#nextSampleUs, this.#nowUs + timeoutUs));
    const fresh = this.#sample > this.#samplesRead;
    this.#samplesRead = this.#sample;
    out.position.set(this.#position);
    out.sampledAtUs = this.#sample * this.#samplePeriodUs;
    out.sample = this.#sample;
    out.device = this.#device;
    out.reason = this.#reason;
    out.phaseUs = 0;
    out.periodUs = this.#outputPeriodUs;
    out.linkErrors = 0;
    out.roundTripUs = 0;
    return fresh;
  }

  write(targets: Float64Array): void {
    if (!this.#hostArmed) notArmed();
    const { joints } = this.#robot.spec;
    for (const [j, { name }] of joints.entries()) finiteTarget(name, targets[j]!);
    if (this.#device !== 'armed') return;
    this.#aim(targets);
    this.#fedUs = this.#nowUs;
  }

  #aim(targets: ArrayLike<number>): void {
    for (const [j, { range }] of this.#robot.spec.joints.entries())
      this.#targets[j] = Math.max(range[0], Math.min(range[1], targets[j]!));
    this.#arm.setTargets(this.#targets);
  }

  async arm(): Promise<Float64Array> {
    await this.waitUntil(this.#nextSampleUs);
    this.#samplesRead = this.#sample;
    // From limp the servos start where they stand; held ones go on from where they are held.
    if (this.#device === 'limp') this.#aim(this.#position);
    this.#device = 'armed';
    this.#reason = '';
    this.#fedUs = this.#nowUs;
    this.#hostArmed = true;
    return Float64Array.from(this.#targets);
  }

  async halt(kind: HaltKind): Promise<void> {
    this.#hostArmed = false;
    if (kind === 'hold') {
      if (this.#device === 'armed') this.#device = 'held';
    } else {
      this.#device = 'limp';
      this.#arm.setTargets(new Float64Array(this.#arm.joints).fill(Number.NaN));
    }
    this.#reason = 'the host asked for it';
  }
}
