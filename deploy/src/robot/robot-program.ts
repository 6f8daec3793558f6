/** The program that runs on the robot: a table of commands, and what becomes of an error. */
import { parseArgs } from 'node:util';
import { exitCodes, KitError, messageOf } from '@sim2servo/models/error';
import { agentCommand } from './agent-command.js';
import type { RobotCommand } from './robot-command.js';
import { serveCommand } from './serve-command.js';

export const robotCommands: readonly RobotCommand[] = [agentCommand, serveCommand];

/** Runs one command line. Never throws and never exits. Standard output is the command's own. */
export async function runRobotProgram(
  [name, ...args]: readonly string[],
  signal: AbortSignal,
  complain: (text: string) => void = text => void process.stderr.write(`${text}\n`),
): Promise<number> {
  try {
    const command = robotCommands.find(known => known.name === name);
    if (command === undefined) {
      complain(
        [
          'usage: sim2servo-robot COMMAND',
          ...robotCommands.map(known => `  ${known.name.padEnd(8)}${known.what}`),
        ].join('\n'),
      );
      return exitCodes[name === '--help' ? 'ok' : 'usage'];
    }
    await command.run(flagsOf(command, args), signal);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof KitError)) {
      complain(error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error));
      return exitCodes.bug;
    }
    complain(`error: ${error.message}\n  → ${error.hint}  [${error.code}]`);
    return exitCodes[error.exit];
  }
}

function flagsOf({ options }: RobotCommand, args: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new KitError('E_USAGE', messageOf(error), 'see sim2servo-robot --help', 'usage', { cause: error });
  }
}
