/** What every command is given: where to speak, when to stop, how to hand over its result. */
import type { ExitReason } from '@sim2servo/models/error';
import type { Command } from 'commander';
import type { Io } from './io.js';

export interface CommandContext {
  readonly io: Io;
  readonly json: boolean;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** What Ctrl-C does, for one who reads the keys himself. */
  interrupt(): void;
  /** The command's result: `value` with --json, else `text()`. */
  result(value: unknown, text: () => string): void;
  /** What a command that fails has to hand over all the same: with --json it stands beside the error, as `report`. */
  report(value: unknown): void;
  /** Leaves with another code than 0 although nothing was thrown. */
  exit(reason: ExitReason): void;
}

export type AddCommand = (program: Command, context: CommandContext) => void;
