/** Where a command speaks: data on stdout, messages on stderr, questions only to a person. Tests give their own. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { KitError } from '@sim2servo/models/error';
import type { KeyInput } from './keyboard.js';

export interface Io {
  /** Data. With --json exactly one JSON value comes this way; of a stream, one a line. */
  out(text: string): void;
  /** Messages and progress. */
  err(text: string): void;
  /** Whether `err` goes to a terminal, so that a line may be redrawn. */
  readonly live: boolean;
  /** Asks yes or no; undefined where nobody can answer. */
  ask(question: string): Promise<boolean | undefined>;
  /** Waits for a line of a person; undefined where nobody can answer. @throws KitError E_INTERRUPTED once `signal` is aborted */
  line(question: string, signal: AbortSignal): Promise<string | undefined>;
  /** Like {@link line}, for what nobody shall see: nothing of it is shown. */
  secret(question: string, signal: AbortSignal): Promise<string | undefined>;
  /** Where single keys come from. */
  readonly keys: KeyInput;
}

export const processIo: Io = {
  out: text => void process.stdout.write(`${text}\n`),
  err: text => void process.stderr.write(`${text}\n`),
  live: process.stderr.isTTY === true,
  keys: process.stdin,
  async ask(question) {
    const answer = await askTerminal(`${question} [y/N] `);
    return answer === undefined ? undefined : /^y(es)?$/i.test(answer);
  },
  line: (question, signal) => askTerminal(question, signal),
  secret: askUnseen,
};

/** Ctrl-C, where a command ends by it before it has done anything. */
export function interrupted(): KitError {
  return new KitError('E_INTERRUPTED', 'interrupted: nothing was written', 'run it again', 'interrupt');
}

async function askTerminal(question: string, signal?: AbortSignal): Promise<string | undefined> {
  if (process.stdin.isTTY !== true) return undefined;
  // With a signal not as a terminal: then Ctrl-C stays a signal, and what is redrawn meanwhile is left alone.
  const terminal = signal === undefined;
  const prompt = createInterface({ input: process.stdin, output: process.stderr, terminal });
  try {
    return await new Promise((resolve, reject) => {
      // As a terminal readline keeps Ctrl-C to itself, and the question would wait for ever.
      prompt.on('SIGINT', () => {
        process.stderr.write('\n');
        reject(interrupted());
      });
      prompt.on('close', () => resolve(undefined));
      prompt.question(question, signal === undefined ? {} : { signal }).then(
        line => resolve(line.trim()),
        error => reject(signal?.aborted === true ? interrupted() : error),
      );
    });
  } finally {
    prompt.close();
  }
}

/** The terminal gives each key to us and shows none; what readline would redraw goes nowhere. */
async function askUnseen(question: string, signal: AbortSignal): Promise<string | undefined> {
  if (process.stdin.isTTY !== true) return undefined;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  process.stderr.write(question);
  try {
    return await new Promise((resolve, reject) => {
      prompt.on('SIGINT', () => reject(interrupted()));
      prompt.on('close', () => resolve(undefined));
      prompt.question('', { signal }).then(resolve, error => reject(signal.aborted ? interrupted() : error));
    });
  } finally {
    process.stderr.write('\n');
    prompt.close();
  }
}

/** Anything that moves a motor or writes to a board passes here. */
export async function confirm(io: Io, what: string, yes: boolean): Promise<void> {
  io.err(what);
  if (yes) return;
  const answer = await io.ask('Go on?');
  if (answer === undefined)
    throw new KitError(
      'E_NOT_CONFIRMED',
      'nobody can be asked: stdin is not a terminal',
      'add --yes if the arm is free to move',
      'usage',
    );
  if (!answer)
    throw new KitError(
      'E_NOT_CONFIRMED',
      'you said no: nothing was moved',
      'run it again when the arm is free',
      'failed',
    );
}
