/**
 * What is drawn anew for each episode of training, so that a policy copes with any arm of the kind (Tobin et al. 2017, arXiv
 * 1703.06907): the arm itself, and the time its command takes.
 */
import type { Random } from '@sim2servo/models/random';
import type { Bus } from '@sim2servo/models/site';
import type { ArmVariation } from './arm-variation.js';

/**
 * The offset is not among what varies: an assembled arm is calibrated, and learning on from logs is for the one that isn't.
 *
 * @param nominalDelayS of the arm's servos
 */
export function drawArm(random: Random, nominalDelayS: number): ArmVariation {
  return {
    frictionScale: random.uniform(0.5, 1.5),
    gainScale: random.uniform(0.8, 1.2),
    loadScale: random.uniform(0.5, 1.5),
    offsetRad: 0,
    delayS: nominalDelayS * random.uniform(2 / 3, 5 / 2),
  };
}

/** From the sample to the moment when the servos have the command that answers it, s. */
export interface CommandLatency {
  readonly nominalS: number;
  readonly rangeS: readonly [number, number];
}

/**
 * kitlink samples 12 ms into a period of 20 ms, so 8 ms are left, and the pulse itself takes 0.6 to 2.4 ms, with a millisecond of play in
 * the phase of the sample. A bus of counted servos is asked at the start of a tick and told its goals as soon as they are known: the
 * replies of six servos and the goals take about a millisecond at 1 Mbaud, and the adapter's USB frames as much again.
 */
export function commandLatency({ kind }: Bus): CommandLatency {
  return kind === 'kitlink'
    ? { nominalS: 0.0095, rangeS: [0.0076, 0.0114] }
    : { nominalS: 0.002, rangeS: [0.001, 0.003] };
}

export function drawLatencyS(random: Random, { rangeS }: CommandLatency): number {
  return random.uniform(...rangeS);
}
