/** Who has a serial port open, and whether we may open it: what a refusal is about, known without opening. */
import { accessSync, constants, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';

export interface PortOwner {
  readonly pid: number;
  /** Name of its program, as the system has it. */
  readonly program: string;
}

/** Another process that has `path` open, where Linux lets us see. */
export function portOwner(path: string): PortOwner | undefined {
  if (process.platform !== 'linux') return undefined;
  const device = realpathSync(path);
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      for (const descriptor of readdirSync(`/proc/${pid}/fd`))
        if (readlinkSync(`/proc/${pid}/fd/${descriptor}`) === device)
          return { pid: Number(pid), program: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
    } catch {
      // It has ended meanwhile, or is somebody else's: then nobody can be named.
    }
  }
  return undefined;
}

export function mayOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What to type where {@link mayOpen} says no. */
export const permissionFix = 'sudo usermod -aG dialout $USER, then log in again';
