/** A robot's joints on a board's channels: angles to timer ticks, converter counts to angles, limits to CONFIG. */
import { KitError } from '@sim2servo/models/error';
import { angleOfCounts, pulseOfAngle } from '@sim2servo/models/hobby-servo';
import { servosInOrder } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { type HobbyServo, type Site, siteOn } from '@sim2servo/models/site';
import { finiteTarget } from '../servo-link.js';
import { type ChannelConfig, type ConfigMessage, channelOff } from './messages.js';

export const ticksPerUs = 2;
const periodS = 0.02;
/** In the middle of the pause between two pulses, with 8 ms left for the answer. */
const samplePhaseTicks = 24_000;
/** The board's speed limit lies this far above the shield's, so that rounding never makes it the one that acts. */
const speedMargin = 1.1;

export class PulseMap {
  readonly config: ConfigMessage;
  readonly #servos: readonly HobbyServo[];

  /** @param channels of the board */
  constructor(spec: RobotSpec, site: Site, channels: number) {
    const { bus, servos } = siteOn(site, 'kitlink');
    this.#servos = servosInOrder(spec, { servos });
    const limits: ChannelConfig[] = Array.from({ length: channels }, () => channelOff);
    for (const [j, servo] of this.#servos.entries()) {
      if (servo.id >= channels)
        throw new KitError(
          'E_CHANNEL',
          `servo '${servo.joint}' has id ${servo.id}, the board has channels 0 to ${channels - 1}`,
          'correct the id in site.json',
          'usage',
        );
      const { range, maxVelocity } = spec.joints[j]!;
      const ends = range.map(angle => pulseOfAngle(servo, angle) * ticksPerUs);
      const ticksPerRad = Math.abs(ends[1]! - ends[0]!) / (range[1] - range[0]);
      limits[servo.id] = {
        minTicks: Math.floor(Math.min(...ends)),
        maxTicks: Math.ceil(Math.max(...ends)),
        maxStepTicks: Math.ceil(maxVelocity * speedMargin * periodS * ticksPerRad),
      };
    }
    this.config = { deadlineMs: bus.deadlineMs, samplePhaseTicks, channels: limits };
  }

  /**
   * @param anglesRad [joints]
   * @param out       [channels] ticks, within the limits of CONFIG
   */
  toTicks(anglesRad: ArrayLike<number>, out: Uint16Array): void {
    for (const [j, servo] of this.#servos.entries()) {
      const angle = finiteTarget(servo.joint, anglesRad[j]!);
      const { minTicks, maxTicks } = this.config.channels[servo.id]!;
      out[servo.id] = Math.max(minTicks, Math.min(maxTicks, Math.round(pulseOfAngle(servo, angle) * ticksPerUs)));
    }
  }

  /** @param out [joints] rad */
  toAngles(channels: readonly { readonly counts: number }[], out: Float64Array): void {
    for (const [j, servo] of this.#servos.entries()) out[j] = angleOfCounts(servo, channels[servo.id]!.counts);
  }
}
