/** The command line under test: in this process with an {@link Io} that keeps what was said, or in one of its own. */
import { spawn } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Io } from '../src/io.js';
import type { KeyInput } from '../src/keyboard.js';
import { runKit } from '../src/main.js';

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs one command line in this process.
 *
 * @param answer what a person says when asked; undefined where nobody is there
 * @param person does what is asked for and then enters a line; or the lines, one after the other
 * @param keys   in place of a terminal
 */
export async function kit(
  line: string | readonly string[],
  answer?: boolean,
  person?: readonly string[] | ((question: string) => Promise<string>),
  keys: KeyInput = Readable.from([]),
): Promise<Said> {
  const left = Array.isArray(person) ? [...person] : undefined;
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: text => out.push(text),
    err: text => err.push(text),
    live: false,
    ask: async () => answer,
    line: async question => {
      if (typeof person === 'function') return person(question);
      err.push(question);
      if (left?.length === 0) throw new Error(`nobody thought of an answer to: ${question}`);
      return left?.shift();
    },
    secret: async question => {
      err.push(question);
      return left?.shift();
    },
    keys,
  };
  const exit = await runKit(typeof line === 'string' ? line.split(' ') : line, io);
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

/** The error of a command that was run with --json: exactly one JSON value, and nothing else. */
export function errorOf(said: Said): { code: string; message: string; hint: string } {
  return (JSON.parse(said.out) as { error: { code: string; message: string; hint: string } }).error;
}

const ofSilence = ['E_NO_ANSWER', 'E_NO_SAMPLE', 'E_SERVO_ABSENT', 'E_SERVO_MISSING'];

/**
 * Where this machine is busy elsewhere for a moment an emulated servo is silent. What is said then is right, and not what is tested: once
 * more.
 *
 * @param heard whether nothing was missed; unless given, that nothing complains of silence
 */
export async function onSteadyRig(
  run: () => Promise<Said>,
  heard = (said: Said): boolean => !ofSilence.some(code => said.out.includes(code)),
): Promise<Said> {
  for (let attempt = 1; ; attempt++) {
    const said = await run();
    if (attempt === 5 || heard(said)) return said;
  }
}

const program = fileURLToPath(new URL('../../bin/kit.mjs', import.meta.url));

export type Kill = (signal: NodeJS.Signals) => void;

export interface Meanwhile {
  /** Goes on beside the process; waited for when it is over. */
  readonly meanwhile?: (process: { readonly running: () => boolean; readonly kill: Kill }) => Promise<void>;
  /** Called with all that was said on stderr, whenever something was. */
  readonly onErr?: (text: string, kill: Kill) => void;
  /** Descriptor of what it shall have as its standard input; nothing by default. */
  readonly stdin?: number;
}

/** A real process: what it said, and the code it left with. */
export function kitProcess(args: readonly string[], { meanwhile, onErr, stdin }: Meanwhile = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: [stdin ?? 'ignore', 'pipe', 'pipe'] });
    const kill: Kill = signal => child.kill(signal);
    let running = true;
    const beside = meanwhile?.({ running: () => running, kill });
    let out = '';
    let err = '';
    child.stdout!.on('data', chunk => {
      out += chunk;
    });
    child.stderr!.on('data', chunk => {
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

/** A terminal in memory that remembers in which modes it was. */
export function memoryTerminal() {
  const modes: boolean[] = [];
  return Object.assign(new PassThrough(), { isTTY: true, modes, setRawMode: (raw: boolean) => modes.push(raw) });
}

/** For tests of what the rigs' pseudo-terminals are needed for. */
export const needsLinux = { skip: process.platform !== 'linux' && 'pseudo-terminals of this kind need Linux' };
