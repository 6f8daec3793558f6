/** A host program that does nothing but swing an arm on a real port, until somebody kills it: the victim of the tests. */
import { KitLink } from '@sim2servo/firmware-bridge/kitlink/kitlink';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { createServoState } from '@sim2servo/firmware-bridge/servo-link';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';

const [, , robotName = 'desk2', port = ''] = process.argv;
const { spec, site } = loadRobot(robotName);
const clock = new RealtimeClock();
const link = new KitLink({ open: () => openSerial(port, siteOn(site, 'kitlink').bus.baudRate), clock, spec, site });
const motion = await link.open();
const state = createServoState(spec.joints.length);
await motion.read(state, 100_000);
await motion.arm();
const targets = Float64Array.from(state.position);
for (let tick = 0; ; tick++) {
  await motion.read(state, 40_000);
  for (let j = 0; j < targets.length; j++) targets[j]! += 0.03 * Math.sin(tick / 8);
  motion.write(targets);
  if (tick === 0) process.send?.('armed');
}
