/**
 * Runs shell scripts where a robot is installed: on this machine (a root folder), or over the system's own `ssh`, so that its agent, its
 * configuration, jump hosts and known hosts work as ever.
 */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KitError, messageOf } from '@sim2servo/models/error';

export interface TargetShell {
  /** `pi@arm.local`, or a folder. */
  readonly where: string;
  /**
   * @param script for `sh -c`
   * @param asRoot by sudo where the user is another
   * @param stdin  what the script reads
   * @returns what it wrote to stdout
   * @throws KitError E_TARGET_UNREACHABLE, E_SUDO, E_TARGET_SCRIPT with what it wrote to stderr
   */
  run(script: string, asRoot?: boolean, stdin?: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<string>;
}

export interface SshTarget {
  /** `user@host` or a name of the ssh configuration. */
  readonly host: string;
  readonly port?: number;
  /** A file instead of `~/.ssh/config`. */
  readonly configPath?: string;
}

/** `pi@arm.local:2222`. @throws KitError E_TARGET_NAME */
export function sshTargetOf(text: string, configPath?: string): SshTarget {
  const [, host, port] = /^((?:[^@\s:/]+@)?[^@\s:/-][^@\s:/]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host !== undefined)
    return { host, ...(port !== undefined && { port: Number(port) }), ...(configPath !== undefined && { configPath }) };
  throw new KitError(
    'E_TARGET_NAME',
    `'${text}' is no machine`,
    'write user@host, or user@host:port; a folder is named with --to',
    'usage',
  );
}

/** In single quotes, for `sh`. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const sudo = ['sudo', '-n', '--'];
const isRoot = () => process.getuid?.() === 0;

export function localShell(where: string, signal?: AbortSignal): TargetShell {
  return {
    where,
    run: (script, asRoot = false, stdin) => {
      const [program, ...args] = [...(asRoot && !isRoot() ? sudo : []), 'sh', '-c', script];
      return run(where, program!, args, stdin, signal);
    },
  };
}

/** @param remoteRoot whether the user there is root, so that there is no need of sudo */
export function sshShell(target: SshTarget, remoteRoot: () => boolean, signal?: AbortSignal): TargetShell {
  const { host, port, configPath } = target;
  const options = [
    ...(configPath === undefined ? [] : ['-F', configPath]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    // A robot that went away in the middle is noticed.
    ...['-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=3', '-o', 'ConnectTimeout=15'],
  ];
  return {
    where: port === undefined ? host : `${host}:${port}`,
    run: (script, asRoot = false, stdin) => {
      const command = `${asRoot && !remoteRoot() ? `${sudo.join(' ')} ` : ''}sh -c ${quoted(script)}`;
      return run(host, 'ssh', [...options, '--', host, command], stdin, signal);
    },
  };
}

/** What ssh itself ends with where it has no connection. */
const sshFailed = 255;

async function run(
  where: string,
  program: string,
  args: readonly string[],
  stdin: Iterable<Buffer> | AsyncIterable<Buffer> | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const child = spawn(program, args, { stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  const stop = () => child.kill();
  signal?.addEventListener('abort', stop, { once: true });
  const [out, err] = [child.stdout!, child.stderr!].map(stream => {
    const said = { text: '' };
    stream.setEncoding('utf8').on('data', (text: string) => {
      said.text += text;
    });
    return said;
  }) as [{ text: string }, { text: string }];
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // Where the other end stops reading, its exit code says why.
  const fed =
    stdin === undefined || child.stdin === null
      ? undefined
      : pipeline(Readable.from(stdin), child.stdin).catch((error: unknown) => messageOf(error));
  try {
    const code = await ended;
    await fed;
    if (code === 0) return out.text;
    if (signal?.aborted === true)
      throw new KitError('E_INTERRUPTED', `interrupted on ${where}`, 'run it again: it goes on', 'interrupt');
    const said = err.text.trim() === '' ? out.text.trim() : err.text.trim();
    if (program === 'ssh' && code === sshFailed)
      throw new KitError(
        'E_TARGET_UNREACHABLE',
        `no connection to ${where}: ${said}`,
        `try it by hand: ssh ${where} true`,
        'noDevice',
      );
    if (/sudo: .*(password|terminal)|sudo: not found|sudo: .*No such file/.test(said))
      throw new KitError(
        'E_SUDO',
        `${where} may not become root without a password: ${said}`,
        'log in as root, or allow it there: echo "$USER ALL=(ALL) NOPASSWD: ALL" | sudo tee /etc/sudoers.d/provision',
        'usage',
      );
    throw new KitError(
      'E_TARGET_SCRIPT',
      `on ${where}: ${said} (exit code ${code})`,
      'mend that, and run it again: it goes on',
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new KitError('E_TARGET_PROGRAM', `there is no program ${program} here`, `install it`, 'usage', {
      cause: error,
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
