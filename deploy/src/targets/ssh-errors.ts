/** What OpenSSH says when it fails, as errors that say what to do. Its words are the only thing that tells one failure from another. */
import { KitError, messageOf } from '@sim2servo/models/error';

export interface SshEnd {
  readonly program: 'ssh' | 'sftp';
  /** `user@host`, as it was asked for. */
  readonly destination: string;
  /** 255 for ssh's own failures; else the remote program's, or 1 where sftp could not do what it was told. Null where it was killed. */
  readonly code: number | null;
  /** The end of what was said on stderr. */
  readonly stderr: string;
  /** What to do after a connection that broke off. */
  readonly again?: string;
}

const deployAgain = 'deploy again: what arrived is kept; kit deploy status says what the robot has';

interface Known {
  readonly words: RegExp;
  readonly code: string;
  readonly message: (destination: string) => string;
  readonly hint: (destination: string) => string;
}

/** The first that fits counts. */
const known: readonly Known[] = [
  {
    words: /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/i,
    code: 'E_TARGET_HOST_CHANGED',
    message: to => `${to} shows another host key than before: it is another machine, or somebody stands between`,
    hint: to =>
      `only if you know why (a new card, a new installation): ssh-keygen -R ${hostOf(to)}, then ssh ${to} once by hand`,
  },
  {
    words: /host key is known for|Host key verification failed/i,
    code: 'E_TARGET_HOST_KEY',
    message: to => `the host key of ${to} is not known here`,
    hint: to => `connect once by hand and compare the key: ssh ${to}`,
  },
  {
    words: /Permission denied|Too many authentication failures|no matching .* found/i,
    code: 'E_TARGET_LOGIN',
    message: to => `${to} does not let us in`,
    hint: to => `bring your key there (ssh-copy-id ${to}), or start the agent that has it; ssh ${to} must work`,
  },
  {
    words: /Could not resolve hostname/i,
    code: 'E_TARGET_DOWN',
    message: to => `there is no host '${hostOf(to)}'`,
    hint: () => 'correct the name; a robot of the local network is often NAME.local',
  },
  {
    words: /Connection refused|No route to host|Network is unreachable|timed out|Host is down/i,
    code: 'E_TARGET_DOWN',
    message: to => `${to} does not answer`,
    hint: to => `is it on, and in this network? ssh ${to} must work`,
  },
  {
    words: /Bad owner or permissions|Bad configuration option|Can't open user config file|terminating, \d+ bad conf/i,
    code: 'E_SSH_CONFIG',
    message: () => 'ssh does not accept its configuration',
    hint: () => 'mend the file that it names, or name another one with --ssh-config',
  },
  {
    words: /subsystem request failed/i,
    code: 'E_TARGET_SFTP',
    message: to => `${to} has no sftp`,
    hint: () => 'its sshd_config needs: Subsystem sftp internal-sftp',
  },
];

const hostOf = (destination: string) => destination.slice(destination.indexOf('@') + 1);

/** Why a connection ended, or never came up. */
export function sshError({ program, destination, code, stderr, again = deployAgain }: SshEnd): KitError {
  const said = stderr
    .trim()
    .split(/\r?\n/)
    .slice(-3)
    .map(line => line.replace(/^ssh: /, ''))
    .join('; ')
    .slice(0, 500);
  const cause = { cause: stderr };
  if (program === 'sftp' && code === 1)
    return new KitError(
      'E_TARGET_SFTP',
      `sftp can't bring a file to ${destination}: ${said}`,
      'who logs in there must be allowed to write into the store, and its disk must have room',
      'noDevice',
      cause,
    );
  if (code === 127 || /sim2servo-robot: (?:command )?not found/.test(stderr))
    return new KitError(
      'E_TARGET_BARE',
      `there is no sim2servo-robot on ${destination}`,
      `install it once: kit provision ${destination}`,
      'noDevice',
      cause,
    );
  // Of what the remote program says nothing is taken for ssh's own words.
  const found = code === 255 || code === null ? known.find(({ words }) => words.test(stderr)) : undefined;
  if (found !== undefined)
    return new KitError(
      found.code,
      `${found.message(destination)}${said === '' ? '' : ` (ssh: ${said})`}`,
      found.hint(destination),
      found.code === 'E_SSH_CONFIG' ? 'usage' : 'noDevice',
      cause,
    );
  return new KitError(
    'E_TARGET_LOST',
    `the connection to ${destination} broke off${said === '' ? '' : `: ${said}`}${code === null || code === 255 ? '' : ` (exit code ${code})`}`,
    again,
    'noDevice',
    cause,
  );
}

/** It could not be started. */
export function sshMissing(program: SshEnd['program'], cause: unknown): KitError {
  return new KitError(
    'E_SSH_MISSING',
    `can't start ${program}: ${messageOf(cause)}`,
    'install the OpenSSH client of this system',
    'usage',
    { cause },
  );
}
