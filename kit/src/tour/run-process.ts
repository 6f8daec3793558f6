/** `kit run` in a process of its own, as a user would start it: the control loop shares its thread with nobody. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ExitReason, exitCodes, KitError } from '@sim2servo/models/error';
import type { RunReport } from '@sim2servo/runtime/run-policy';

const program = fileURLToPath(new URL('../../../bin/kit.mjs', import.meta.url));

export function startRun(args: readonly string[], showStatus: boolean): ChildProcess {
  return spawn(process.execPath, [program, 'run', '--json', '--yes', ...args], {
    stdio: ['ignore', 'pipe', showStatus ? 'inherit' : 'ignore'],
  });
}

/** Runs it to its end. @throws KitError with what it said where it failed */
export async function runToEnd(args: readonly string[], signal: AbortSignal): Promise<RunReport> {
  const child = startRun(args, true);
  const stop = () => child.kill('SIGINT');
  signal.addEventListener('abort', stop);
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  try {
    await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
  const answer = JSON.parse(text === '' ? '{}' : text) as RunReport & {
    error?: { code: string; message: string; hint: string };
  };
  if (answer.error !== undefined)
    throw new KitError(answer.error.code, answer.error.message, answer.error.hint, exitReason(child.exitCode));
  if (answer.ticks === undefined)
    throw new KitError('E_TOUR_RUN', `kit run ended with ${child.exitCode} and no report`, 'run it by hand to see why');
  return answer;
}

function exitReason(code: number | null): ExitReason {
  return (Object.keys(exitCodes) as ExitReason[]).find(reason => exitCodes[reason] === code) ?? 'failed';
}
