/**
 * Runs a throw-away device once through everything a run does. Until the engine has compiled the emulator's inner loop it is slower than
 * real time, and a board that stammers in its first seconds would look like a bad link.
 */
import { KitLink } from '@sim2servo/firmware-bridge/kitlink/kitlink';
import { createServoState } from '@sim2servo/firmware-bridge/servo-link';
import { ArmOnBoard, type DeviceOptions } from './arm-on-board.js';
import { Lockstep } from './lockstep.js';

const ticks = 250;
const periodUs = 20_000;

export async function warmUp(options: DeviceOptions): Promise<void> {
  const { spec, site } = options.robot;
  const device = await ArmOnBoard.create(options);
  const clock = new Lockstep(device);
  const link = new KitLink({ open: async () => clock.open(), clock, spec, site });
  const motion = await link.open();
  const state = createServoState(spec.joints.length);
  await motion.read(state, periodUs);
  await motion.arm();
  const targets = Float64Array.from(state.position);
  for (let tick = 0; tick < ticks; tick++) {
    await motion.read(state, 2 * periodUs);
    targets[0]! += 0.01 * Math.sin(tick / 20);
    motion.write(targets);
  }
  await motion.halt('hold');
  await link.close();
  device.arm.dispose();
}
