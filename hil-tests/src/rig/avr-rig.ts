/** The real firmware image in a process of its own. */
import type { RigReport, RigRequest, RigSetup } from './rig-messages.js';
import { RigProcess } from './rig-process.js';

export type AvrRig = RigProcess<RigRequest, RigReport>;

/** @throws KitError E_RIG */
export function startAvrRig(setup: RigSetup): Promise<AvrRig> {
  return RigProcess.start('./avr-process.js', setup);
}
