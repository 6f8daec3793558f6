/** The program `sim2servo-robot`: what runs on a robot. Only this file ends the process. */
import { exitCodes, KitError, messageOf } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import { agent } from './agent.js';
import { check } from './check.js';
import { ctl } from './ctl.js';
import { measure } from './measure.js';
import { commandHelp, parseCommand, type RobotCommand } from './robot-command.js';
import { run } from './run.js';
import { serve } from './serve.js';

const commands: Readonly<Record<string, RobotCommand>> = { run, check, measure, ctl, agent, serve };

const [name = '--help', ...args] = process.argv.slice(2);
try {
  if (name === '--help' || args.includes('--help')) {
    const wanted = Object.entries(commands).filter(([key]) => name === '--help' || key === name);
    process.stdout.write(`${wanted.map(([key, command]) => commandHelp(key, command)).join('\n')}\n`);
  } else {
    const command = commands[name];
    if (command === undefined)
      throw new KitError(
        'E_USAGE',
        `there is no command '${name}'`,
        `one of: ${Object.keys(commands).join(', ')}`,
        'usage',
      );
    const { flags, operands } = parseCommand(name, command, args);
    await command.act(flags, operands);
  }
} catch (error) {
  const packed = packError(error, 'E_BUG');
  if (!(error instanceof KitError) && error instanceof Error && error.stack !== undefined)
    process.stderr.write(`${error.stack}\n`);
  process.stderr.write(`error: ${messageOf(error)}\n  → ${packed.hint}  [${packed.code}]\n`);
  process.exitCode = exitCodes[packed.exit];
}
