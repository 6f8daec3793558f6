/** Where a command speaks: data on stdout, messages on stderr, questions only to a person. Tests give their own. */
import { createInterface } from 'node:readline/promises';
import { KitError } from '@sim2servo/models/error';

export interface Io {
  /** Data. With --json exactly one JSON value comes this way. */
  out(text: string): void;
  /** Messages and progress. */
  err(text: string): void;
  /** Whether `err` goes to a terminal, so that a line may be redrawn. */
  readonly live: boolean;
  /** Asks yes or no; undefined where nobody can answer. */
  ask(question: string): Promise<boolean | undefined>;
  /** Asks for a line; undefined where nobody can answer. */
  askLine(question: string): Promise<string | undefined>;
}

export const processIo: Io = {
  out: text => void process.stdout.write(`${text}\n`),
  err: text => void process.stderr.write(`${text}\n`),
  live: process.stderr.isTTY === true,
  async ask(question) {
    const answer = await askTerminal(`${question} [y/N] `);
    return answer === undefined ? undefined : /^y(es)?$/i.test(answer);
  },
  askLine: question => askTerminal(`${question} `),
};

async function askTerminal(question: string): Promise<string | undefined> {
  if (process.stdin.isTTY !== true) return undefined;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve, reject) => {
      // readline keeps Ctrl-C and Ctrl-D to itself, and the question would wait for ever.
      prompt.on('SIGINT', () => {
        process.stderr.write('\n');
        reject(new KitError('E_INTERRUPTED', 'stopped at a question', 'run it again', 'interrupt'));
      });
      prompt.on('close', () => resolve(undefined));
      prompt.question(question).then(line => resolve(line.trim()), reject);
    });
  } finally {
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
