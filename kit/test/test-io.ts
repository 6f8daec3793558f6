/** The command line under test: in this process with an {@link Io} that keeps what was said, or in one of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Io } from '../src/io.js';
import { runKit } from '../src/main.js';

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs one command line in this process. `answer`: what a person says when asked yes or no, `lines`: when asked for lines, one after the
 * other; undefined where nobody is there.
 */
export async function kit(
  line: string | readonly string[],
  answer?: boolean,
  lines?: readonly string[],
): Promise<Said> {
  const left = lines && [...lines];
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: text => out.push(text),
    err: text => err.push(text),
    live: false,
    ask: async () => answer,
    askLine: async question => {
      err.push(question);
      if (left?.length === 0) throw new Error(`nobody thought of an answer to: ${question}`);
      return left?.shift();
    },
  };
  const exit = await runKit(typeof line === 'string' ? line.split(' ') : line, io);
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

/** The error of a command that was run with --json: exactly one JSON value, and nothing else. */
export function errorOf(said: Said): { code: string; message: string; hint: string } {
  return (JSON.parse(said.out) as { error: { code: string; message: string; hint: string } }).error;
}

const program = fileURLToPath(new URL('../../bin/kit.mjs', import.meta.url));

export type Kill = (signal: NodeJS.Signals) => void;

export interface Meanwhile {
  /** Goes on beside the process; waited for when it is over. */
  readonly meanwhile?: (process: { readonly running: () => boolean; readonly kill: Kill }) => Promise<void>;
  /** Called with all that was said on stderr, whenever something was. */
  readonly onErr?: (text: string, kill: Kill) => void;
}

/** A real process: what it said, and the code it left with. */
export function kitProcess(args: readonly string[], { meanwhile, onErr }: Meanwhile = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const kill: Kill = signal => child.kill(signal);
    let running = true;
    const beside = meanwhile?.({ running: () => running, kill });
    let out = '';
    let err = '';
    child.stdout.on('data', chunk => {
      out += chunk;
    });
    child.stderr.on('data', chunk => {
      err += chunk;
      onErr?.(err, kill);
    });
    child.on('close', async exit => {
      running = false;
      await beside?.catch(reject);
      resolve({ exit: exit ?? -1, out, err });
    });
  });
}

/** For tests of what the rigs' pseudo-terminals are needed for. */
export const needsLinux = { skip: process.platform !== 'linux' && 'pseudo-terminals of this kind need Linux' };
