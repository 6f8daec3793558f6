/** `sim2servo-robot agent`: answers a deployer on standard input and output. This is what `ssh` starts. */
import { serveLines } from '../agent/agent-lines.js';
import { RobotAgent } from '../agent/robot-agent.js';
import { driveErrors } from './control-socket.js';
import type { RobotCommand } from './robot-command.js';
import { placeOptions, robotPlaces } from './robot-places.js';

export const agent: RobotCommand = {
  words: 'answers kit deploy on standard input and output; ssh starts it',
  options: placeOptions,
  async act({ root, ...named }) {
    const { robot, store, socket } = { ...robotPlaces(root), ...named };
    // Its end is that of its input; what installs is finished first.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.stdin.destroy());
    await serveLines(
      new RobotAgent({ robot, store, apart: true, driveError: driveErrors(socket) }),
      process.stdin,
      process.stdout,
    );
  },
};
