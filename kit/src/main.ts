/** The command line: parses, runs one command, and turns whatever happens into words and an exit code. */
import { exitCodes, KitError, messageOf } from '@sim2servo/models/error';
import '@sim2servo/models/no-telemetry';
import { runtimeVersion } from '@sim2servo/models/version';
import { Command, CommanderError } from 'commander';
import type { CommandContext } from './command-context.js';
import { commands } from './commands.js';
import { type Io, processIo } from './io.js';

const description = `Train a robot policy in simulation, deploy it, run it behind a safety shield, learn on from its logs.

Examples:
  kit train --robot desk2 --task reach
  kit export runs/desk2-reach-0 policy
  kit deploy policy --to robot
  kit hil up --rig avr                            (a virtual desk2; prints its port)
  kit run --robot desk2 --policy robot --port /dev/pts/3
  kit finetune --from runs/desk2-reach-0 --logs logs`;

const exitCodeHelp = `
Exit codes: 0 ok, 1 failed, 2 usage or config, 3 no device or host, 4 safety stop, 5 timeout, 70 bug, 130 interrupt.`;

/** Runs one command line. Never throws and never exits. */
export async function runKit(args: readonly string[], io: Io = processIo): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  let json = args.includes('--json');
  let exit: number = exitCodes.ok;
  let reported: unknown;
  const program = new Command('kit')
    .description(description)
    .version(runtimeVersion, '-V, --version')
    .option('--json', 'one JSON value on stdout, errors included')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: text => io.out(text.trimEnd()), writeErr: text => json || io.err(text.trimEnd()) })
    .addHelpText('after', exitCodeHelp);
  const context: CommandContext = {
    io,
    signal: interrupt.signal,
    interrupt: onInterrupt,
    get json() {
      return json;
    },
    result(value, text) {
      io.out(json ? JSON.stringify(value) : text());
    },
    report(value) {
      reported = value;
    },
    exit(reason) {
      exit = exitCodes[reason];
    },
  };
  for (const add of commands) add(program, context);
  inheritSettings(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    json = program.opts<{ json?: boolean }>().json === true;
    return interrupt.signal.aborted ? exitCodes.interrupt : exit;
  } catch (error) {
    return failed(error, io, json, reported);
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

/** Subcommands throw instead of exiting, and write where the program writes. */
function inheritSettings(parent: Command): void {
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    inheritSettings(child);
  }
}

function failed(error: unknown, io: Io, json: boolean, report: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok;
    if (json) io.out(JSON.stringify({ error: { code: 'E_USAGE', message: error.message, hint: 'see kit --help' } }));
    return exitCodes.usage;
  }
  const known = error instanceof KitError;
  const code = known ? error.code : 'E_BUG';
  const hint = known ? error.hint : 'this is a bug in the kit: please report it with the lines above';
  if (json) io.out(JSON.stringify({ error: { code, message: messageOf(error), hint }, report }));
  else {
    if (!known && error instanceof Error && error.stack !== undefined) io.err(error.stack);
    io.err(`error: ${messageOf(error)}\n  → ${hint}  [${code}]`);
  }
  return exitCodes[known ? error.exit : 'bug'];
}
