/**
 * What is drawn anew for each episode of training, so that a policy copes with any arm of the kind (Tobin et al. 2017, arXiv
 * 1703.06907): the arm itself, and the time its command takes.
 */
import type { Random } from '@sim2servo/models/random';
import type { ArmVariation } from './arm-variation.js';

/** The offset is not among what varies: an assembled arm is calibrated, and learning on from logs is for the one that isn't. */
export function drawArm(random: Random): ArmVariation {
  return {
    frictionScale: random.uniform(0.5, 1.5),
    gainScale: random.uniform(0.8, 1.2),
    loadScale: random.uniform(0.5, 1.5),
    offsetRad: 0,
    delayS: random.uniform(0.008, 0.03),
  };
}

/**
 * From the converter's sample to the end of the first pulse that answers it: kitlink samples 12 ms into a period of 20 ms, so 8 ms are
 * left, and the pulse itself takes 0.6 to 2.4 ms.
 */
export const nominalSampleToPulseS = 0.0095;

/** The same with the pulse's own width, and a millisecond of play in the phase of the sample. */
export function drawSampleToPulseS(random: Random): number {
  return random.uniform(0.0076, 0.0114);
}
