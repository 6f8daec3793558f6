/** A bridge that serves the servos on a port until somebody kills it: the victim of the tests. */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { runBridge } from '@sim2servo/firmware-bridge/mqtt/mqtt-bridge';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';

const [, , robotName = 'desk2', port = '', broker = '', deadlineMs = '100'] = process.argv;
const robot = loadRobot(robotName);
const clock = new RealtimeClock();
const end = new AbortController();
process.once('SIGTERM', () => end.abort());
await runBridge({
  robot,
  link: createLink({ robot, clock, open: baudRate => openSerial(port, baudRate) }),
  clock,
  name: robot.spec.name,
  address: { broker },
  deadlineMs: Number(deadlineMs),
  sampleHz: 50,
  signal: end.signal,
  onEvent: what => process.send?.(what),
});
process.disconnect?.();
