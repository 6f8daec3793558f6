/** Programs of others, in Python: whether they are to be had, and what they say of a port. */
import { spawn, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const { KIT_PYTHON } = process.env;

/** Why a client can't run; empty where it can. */
export function lacks(module: string): string {
  if (KIT_PYTHON === undefined) return 'KIT_PYTHON names no Python that has the foreign clients';
  const { status, stderr } = spawnSync(KIT_PYTHON, ['-c', `import ${module}`], { encoding: 'utf8', cwd: tmpdir() });
  return status === 0 ? '' : `${KIT_PYTHON} has no ${module}: ${stderr?.trim().split('\n').at(-1)}`;
}

/**
 * Runs a program of test/conformance.
 *
 * @returns what it printed, JSON
 * @throws Error with what it complained of
 */
export async function foreignClient(program: string, ...options: readonly string[]): Promise<unknown> {
  const path = fileURLToPath(new URL(`../../../test/conformance/${program}`, import.meta.url));
  const child = spawn(KIT_PYTHON ?? 'python3', [path, ...options], { cwd: tmpdir() });
  let out = '';
  let complaint = '';
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  child.stderr.on('data', chunk => {
    complaint += chunk;
  });
  const code = await new Promise((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaint.trim()}`);
  return JSON.parse(out);
}
