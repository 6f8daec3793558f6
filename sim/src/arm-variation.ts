/** How one arm differs from the one that its scene describes: what differs from desk to desk, and what a policy must cope with. */

export interface ArmVariation {
  /** Factor on the gear friction. */
  readonly frictionScale: number;
  /** Factor on the servos' position gain. */
  readonly gainScale: number;
  /** Factor on the payload's mass. */
  readonly loadScale: number;
  /** Between command and measured angle: the servo turns this much too far, rad. One number for all joints, or one for each. */
  readonly offsetRad: number | readonly number[];
  /** From a pulse's end to the servo's acting on it, s; the scene's own where it is absent. */
  readonly delayS?: number;
}

/** The arm that the scene describes. */
export const nominalArm: ArmVariation = { frictionScale: 1, gainScale: 1, loadScale: 1, offsetRad: 0 };

/** The arm that fine-tuning is shown on: heavier load, weaker servos, horns put on 3° askew. */
export const changedArm: ArmVariation = {
  frictionScale: 1,
  gainScale: 0.8,
  loadScale: 1.5,
  offsetRad: (3 * Math.PI) / 180,
};
