/** Starts a host program that swings an arm on a port until it is killed (swing-process.ts). */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';

/** A machine that is busy may be too slow for the board's deadline while arming: then it is tried again. */
const attempts = 5;

/**
 * @param way `far`: towards the end of each joint's range, which only the servos' own speed keeps it from at once
 * @throws KitError E_HIL_HOST
 */
export async function startSwinging(
  robot: string,
  port: string,
  way: 'swing' | 'far' = 'swing',
): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./swing-process.js', import.meta.url));
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const child = fork(program, [robot, port, way]);
    const armed = await new Promise(resolve => {
      child.once('message', () => resolve(true));
      child.once('exit', () => resolve(false));
    });
    if (armed) return child;
  }
  throw new KitError(
    'E_HIL_HOST',
    `the host program could not arm the board in ${attempts} attempts`,
    'this machine may be too busy: try again when it is not',
  );
}
