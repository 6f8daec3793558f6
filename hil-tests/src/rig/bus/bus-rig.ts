/** Emulated servos in a process of their own. */
import { RigProcess } from '../rig-process.js';
import type { BusReport, BusRequest, BusSetup } from './bus-server.js';

export type BusRig = RigProcess<BusRequest, BusReport>;

/** @throws KitError E_RIG */
export function startBusRig(setup: BusSetup): Promise<BusRig> {
  return RigProcess.start('./bus/bus-process.js', setup);
}
