/** How the system's own `ssh` and `sftp` are called, whatever is done with them. */
import type { SshAddress } from './target.js';

export interface SshOptions {
  /** Another configuration file for ssh. */
  readonly sshConfig?: string | undefined;
  /** Nobody is there to be asked for a password. */
  readonly batch?: boolean | undefined;
}

const connectTimeoutS = 15;
/** A silent network is noticed after so many times so long. */
const alive = { intervalS: 5, count: 3 } as const;

/** Options for both programs, before all others. @param more by the names of ssh_config(5) */
export function sshSettings(
  { sshConfig, batch = false }: SshOptions,
  more: Readonly<Record<string, string>> = {},
): string[] {
  const settings = {
    // What the user set for sessions at the prompt would be in the way.
    RemoteCommand: 'none',
    PermitLocalCommand: 'no',
    ClearAllForwardings: 'yes',
    LogLevel: 'ERROR',
    ConnectTimeout: connectTimeoutS,
    ServerAliveInterval: alive.intervalS,
    ServerAliveCountMax: alive.count,
    ...(batch && { BatchMode: 'yes' }),
    ...more,
  };
  return [
    ...(sshConfig === undefined ? [] : ['-F', sshConfig]),
    ...Object.entries(settings).map(([name, value]) => `-o${name}=${value}`),
  ];
}

/** What follows the settings: where to, and what to run there. Nothing in it is taken for an option. */
export function sshCommand({ destination, port }: SshAddress, command: string): string[] {
  return [...(port === undefined ? [] : ['-p', String(port)]), '--', destination, command];
}
