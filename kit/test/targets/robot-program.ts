/** The program `sim2servo-robot` as it is installed on a robot: found by its name, and its number known, so that it can be killed. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const robotProgram = fileURLToPath(import.meta.resolve('@sim2servo/deploy/robot/main'));

/** @returns the folder that it lies in, and what kills the one that was started last */
export function installRobotProgram(
  folder: string,
  places: { readonly store: string; readonly robot: string },
): { readonly path: string; readonly kill: () => Promise<void> } {
  const path = join(folder, 'bin');
  mkdirSync(path, { recursive: true });
  const pid = join(folder, 'pid');
  const script = `#!/bin/sh
echo $$ > '${pid}'
exec '${process.execPath}' '${robotProgram}' "$@" --store '${places.store}' --robot '${places.robot}'
`;
  writeFileSync(join(path, 'sim2servo-robot'), script);
  chmodSync(join(path, 'sim2servo-robot'), 0o755);
  return {
    path,
    kill: async () => {
      if (existsSync(pid)) process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL');
    },
  };
}
