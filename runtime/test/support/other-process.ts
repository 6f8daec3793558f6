/** A process of a program that lies beside this file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** @returns once it has said something */
export async function startBeside(program: string, ...args: string[]): Promise<ChildProcess> {
  return startWithin([], program, ...args);
}

/** @param wrapper a program, and what it is told, that starts what follows it. @returns once it has said something */
export async function startWithin(
  wrapper: readonly string[],
  program: string,
  ...args: string[]
): Promise<ChildProcess> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const [first, ...rest] = [...wrapper, process.execPath, path, ...args] as [string, ...string[]];
  const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')]);
  return child;
}

/** Kills it with SIGKILL. @returns once it is gone */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
