/** A command of the program `sim2servo-robot`: its words, its options, what it does. */
import { parseArgs } from 'node:util';
import { KitError, messageOf } from '@sim2servo/models/error';

export interface RobotCommand {
  /** For the help. */
  readonly words: string;
  /** Each takes a value. */
  readonly options: Readonly<Record<string, string>>;
  /** What stands behind the command's name without an option, for the help. */
  readonly operand?: string;
  act(flags: Readonly<Record<string, string | undefined>>, operands: readonly string[]): Promise<void>;
}

/** @throws KitError E_USAGE */
export function parseCommand(
  name: string,
  { options, operand }: RobotCommand,
  args: readonly string[],
): { flags: Record<string, string | undefined>; operands: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(Object.keys(options).map(key => [key, { type: 'string' as const }])),
      allowPositionals: operand !== undefined,
    });
    return { flags: values as Record<string, string | undefined>, operands: positionals };
  } catch (error) {
    throw new KitError('E_USAGE', messageOf(error), `see sim2servo-robot ${name} --help`, 'usage', { cause: error });
  }
}

export function commandHelp(name: string, { words, options, operand }: RobotCommand): string {
  const lines = Object.entries(options).map(([key, what]) => `  --${key.padEnd(10)} ${what}`);
  return [`sim2servo-robot ${name}${operand === undefined ? '' : ` ${operand}`}: ${words}`, ...lines].join('\n');
}
