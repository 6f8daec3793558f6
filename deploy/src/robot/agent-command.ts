/** `sim2servo-robot agent`: answers a deployer on standard input and output. This is what `ssh` starts. */
import { serveLines } from '../agent/agent-lines.js';
import { RobotAgent } from '../agent/robot-agent.js';
import { placeOptions, placesOf, type RobotCommand } from './robot-command.js';

export const agentCommand: RobotCommand = {
  name: 'agent',
  what: 'answer kit deploy on standard input and output; started by ssh',
  options: placeOptions,
  async run(flags, signal) {
    signal.addEventListener('abort', () => process.stdin.destroy());
    await serveLines(new RobotAgent(placesOf(flags)), process.stdin, process.stdout);
  },
};
