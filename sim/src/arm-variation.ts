/** How one arm differs from the nominal one: what differs from desk to desk, and what a policy must cope with. */
import type { Random } from '@sim2servo/models/random';

export interface ArmVariation {
  /** Factor on the gear friction. */
  readonly frictionScale: number;
  /** Factor on the servo's position gain. */
  readonly gainScale: number;
  /** From a pulse's end to the servo's acting on it, s. */
  readonly delayS: number;
  /** Factor on the payload's mass. */
  readonly loadScale: number;
  /** Between command and measured angle: the servo turns this much too far, rad. */
  readonly offsetRad: number;
}

/** The arm of the data sheet. */
export const nominalArm: ArmVariation = { frictionScale: 1, gainScale: 1, delayS: 0.012, loadScale: 1, offsetRad: 0 };

/** The arm that fine-tuning is shown on: heavier load, weaker servos, horns put on 3° askew. */
export const changedArm: ArmVariation = {
  ...nominalArm,
  gainScale: 0.8,
  loadScale: 1.5,
  offsetRad: (3 * Math.PI) / 180,
};

/** Another arm for each episode of training. The offset is not among what varies: an assembled arm is calibrated. */
export function drawArm(random: Random): ArmVariation {
  return {
    frictionScale: random.uniform(0.5, 1.5),
    gainScale: random.uniform(0.8, 1.2),
    delayS: random.uniform(0.008, 0.024),
    loadScale: random.uniform(0.5, 1.5),
    offsetRad: 0,
  };
}
