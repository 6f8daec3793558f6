/** Rigs by name: see rig.ts for what each is. */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { openSerial, type SerialOptions } from '@sim2servo/firmware-bridge/serial-stream';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { ArmOnBoard } from './arm-on-board.js';
import { startAvrRig } from './avr-rig.js';
import { startBusRig } from './bus/bus-rig.js';
import { robotBus } from './bus/create-bus.js';
import { fallS } from './bus/mechanics.js';
import { IdealRig } from './ideal-rig.js';
import { Lockstep } from './lockstep.js';
import type { Rig, RigOptions } from './rig.js';

export const rigNames = ['ideal', 'avr-lockstep', 'avr', 'bus-lockstep', 'bus'] as const;
const serialPrefix = 'serial:';

/** @throws KitError E_RIG_UNKNOWN, E_RIG, E_PTY */
export async function openRig(
  name: string,
  robot: LoadedRobot,
  { onLatency = () => {}, ...options }: RigOptions = {},
): Promise<Rig> {
  if (name === 'ideal') return IdealRig.create(robot, options);
  if (name === 'avr-lockstep') {
    const device = await ArmOnBoard.create({ robot, imagePath: firmwareImage, ...options });
    const clock = new Lockstep(device);
    return {
      clock,
      virtualTime: true,
      connect: () => createLink({ robot, clock, open: async () => clock.open() }),
      close: async () => device.arm.dispose(),
    };
  }
  if (name === 'bus-lockstep') {
    const bus = await robotBus(robot, options);
    bus.runUntil(fallS * 1e6);
    const clock = new Lockstep(bus);
    return {
      clock,
      virtualTime: true,
      connect: () => createLink({ robot, clock, open: async () => clock.open() }),
      close: async () => bus.dispose(),
    };
  }
  if (name === 'bus') {
    const bus = await startBusRig({ robot: robot.folder, ...options });
    return onPort(robot, bus.path, () => bus.stop());
  }
  if (name === 'avr') {
    const avr = await startAvrRig({ robot: robot.folder, imagePath: firmwareImage, ...options });
    return onPort(robot, avr.path, () => avr.stop());
  }
  if (name.startsWith(serialPrefix))
    return onPort(robot, name.slice(serialPrefix.length), async () => {}, { onLatency });
  throw new KitError(
    'E_RIG_UNKNOWN',
    `no rig is called '${name}'`,
    `take one of: ${rigNames.join(', ')}, ${serialPrefix}/dev/ttyUSB0; kit hil also all`,
    'usage',
  );
}

function onPort(robot: LoadedRobot, path: string, close: () => Promise<void>, options: SerialOptions = {}): Rig {
  const clock = new RealtimeClock();
  const open = (baudRate: number) => openSerial(path, baudRate, options);
  return { clock, virtualTime: false, connect: () => createLink({ robot, clock, open }), close };
}
