/** A port that echoes, in a process of its own. */
import { busAwakeMs } from './bus/bus-server.js';
import type { EchoRequest, EchoSetup } from './echo-server.js';
import { RigProcess } from './rig-process.js';
import type { WallClockReport } from './wall-clock.js';

export type EchoRig = RigProcess<EchoRequest, WallClockReport>;

/** @throws KitError E_RIG */
export function startEchoRig(): Promise<EchoRig> {
  const setup: EchoSetup = { napMs: busAwakeMs };
  return RigProcess.start('./echo-process.js', setup);
}
