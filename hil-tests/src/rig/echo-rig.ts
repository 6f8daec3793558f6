/** A port that echoes, in a process of its own. */
import type { EchoRequest, EchoSetup } from './echo-server.js';
import { RigProcess } from './rig-process.js';
import type { WallClockReport } from './wall-clock.js';

export type EchoRig = RigProcess<EchoRequest, WallClockReport>;

/** @throws KitError E_RIG */
export function startEchoRig(setup: EchoSetup = {}): Promise<EchoRig> {
  return RigProcess.start('./echo-process.js', setup);
}
