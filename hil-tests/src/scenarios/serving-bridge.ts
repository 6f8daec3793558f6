/** Starts a bridge in a process of its own (bridge-process.ts), so that it can be killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';

/** Resolves once it serves. @throws KitError E_HIL_BRIDGE */
export async function startBridge(
  robot: string,
  port: string,
  broker: string,
  deadlineMs: number,
): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./bridge-process.js', import.meta.url));
  const child = fork(program, [robot, port, broker, String(deadlineMs)]);
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child));
    child.once('exit', code =>
      reject(new KitError('E_HIL_BRIDGE', `the bridge's process ended with ${code}`, 'see what it said above')),
    );
  });
}
