/** An {@link Io} that keeps what was said. */
import type { Io } from '../src/io.js';
import { runKit } from '../src/main.js';

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line in this process. `answer`: what a person says when asked; undefined where nobody is there. */
export async function kit(line: string | readonly string[], answer?: boolean): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: text => out.push(text),
    err: text => err.push(text),
    live: false,
    ask: async () => answer,
  };
  const exit = await runKit(typeof line === 'string' ? line.split(' ') : line, io);
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

/** The error of a command that was run with --json: exactly one JSON value, and nothing else. */
export function errorOf(said: Said): { code: string; message: string; hint: string } {
  return (JSON.parse(said.out) as { error: { code: string; message: string; hint: string } }).error;
}
