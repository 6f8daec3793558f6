/** Starts a bridge in a process of its own (bridge-process.ts), so that it can be killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';

/** A machine that is busy may be too slow for the board's samples while the port is opened: then it is tried again. */
const attempts = 5;

/** Resolves once it serves. @throws KitError E_HIL_BRIDGE */
export async function startBridge(
  robot: string,
  port: string,
  broker: string,
  deadlineMs: number,
): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./bridge-process.js', import.meta.url));
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const child = fork(program, [robot, port, broker, String(deadlineMs)]);
    const serves = await new Promise(resolve => {
      child.once('message', () => resolve(true));
      child.once('exit', () => resolve(false));
    });
    if (serves) return child;
  }
  throw new KitError('E_HIL_BRIDGE', `no bridge came up in ${attempts} attempts`, 'see what each said above');
}
