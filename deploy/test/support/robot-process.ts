/** The program `sim2servo-robot` in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../src/robot/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function startRobotProgram(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'pipe' });
  let out = '';
  let err = '';
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  child.stderr.on('data', chunk => {
    err += chunk;
  });
  const ended: Promise<Ended> = once(child, 'close').then(([code]) => ({ code, out, err }));
  return { child, ended, said: () => out };
}

/** Runs one command line to its end, with nothing on its input. */
export function robotProgram(...args: string[]): Promise<Ended> {
  const { child, ended } = startRobotProgram(args);
  child.stdin.end();
  return ended;
}
