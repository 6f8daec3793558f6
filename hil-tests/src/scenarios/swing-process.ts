/**
 * A host program that does nothing but swing an arm, or send it far away, on a real port or through a broker, until somebody kills it:
 * the victim of the tests.
 */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { createServoState } from '@sim2servo/firmware-bridge/servo-link';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';

const [, , robotName = 'desk2', port = '', way = 'swing'] = process.argv;
const robot = loadRobot(robotName);
const clock = new RealtimeClock();
const link = createLink({ robot, clock, open: baudRate => openSerial(port, baudRate) });
const motion = await link.open();
const state = createServoState(robot.spec.joints.length);
await motion.read(state, 100_000);
await motion.arm();
const targets = Float64Array.from(state.position);
// Towards home first: an arm that is killed in one swing after the other does not end at its limits.
const amplitude = robot.spec.joints.map(({ home }, j) => (targets[j]! > home ? -0.03 : 0.03));
/** Where the device has no period of its own. */
const periodUs = 20_000;
let dueUs = clock.nowUs();
for (let tick = 0; ; tick++) {
  dueUs += periodUs;
  if (motion.cycle !== undefined) await clock.waitUntil(dueUs);
  await motion.read(state, 40_000);
  for (const [j, { range }] of robot.spec.joints.entries())
    targets[j] = way === 'far' ? range[1] : targets[j]! + amplitude[j]! * Math.sin(tick / 8);
  motion.write(targets);
  if (tick === 0) process.send?.('armed');
}
