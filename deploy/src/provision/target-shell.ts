/**
 * Runs shell scripts where a robot is installed: on this machine (a root folder), or over the system's own `ssh`, so that its agent, its
 * configuration, jump hosts and known hosts work as ever.
 */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KitError, messageOf } from '@sim2servo/models/error';
import { sshError, sshMissing } from '../targets/ssh-errors.js';
import { type SshOptions, sshCommand, sshSettings } from '../targets/ssh-settings.js';
import { type SshAddress, sshAddress } from '../targets/target.js';

type Input = Iterable<Buffer> | AsyncIterable<Buffer>;

export interface TargetShell {
  /** `pi@arm.local`, or a folder. */
  readonly where: string;
  /**
   * @param script for `sh`
   * @param asRoot by sudo where the user is another
   * @param stdin  what the script reads
   * @param speaks called once it has written something to stdout
   * @returns what it wrote to stdout
   * @throws KitError E_SSH_*, E_TARGET_*, E_SUDO, E_TARGET_SCRIPT with what it wrote to stderr; its own where it refuses
   */
  run(script: string, asRoot?: boolean, stdin?: Input, speaks?: () => void): Promise<string>;
}

export type SshTarget = SshAddress & Pick<SshOptions, 'sshConfig'>;

/** `pi@arm.local:2222`. @throws KitError E_TARGET_NAME */
export function sshTargetOf(text: string, sshConfig?: string): SshTarget {
  const address = sshAddress(text);
  if (!('why' in address)) return { ...address, sshConfig };
  throw new KitError(
    'E_TARGET_NAME',
    `'${text}' is no machine: ${address.why}`,
    'write user@host, or user@host:port; a folder is named with --to',
    'usage',
  );
}

/** In single quotes, for `sh`. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * A script goes by stdin, before what it reads itself: it may hold a password or a key, and the words of a command are for everybody to read, in
 * the list of processes and in sudo's log. Byte by byte, so that what comes after it is left; between braces, so that of one that is cut off
 * nothing is done.
 */
export function byInput(script: string, stdin?: Input): { readonly command: string; readonly input: Input } {
  const bytes = Buffer.from(`{\n${script}\n}\n`);
  return {
    command: `script=$(dd bs=1 count=${bytes.length} 2>/dev/null) && [ -n "$script" ] || exit; eval "$script"`,
    input: (async function* () {
      yield bytes;
      if (stdin !== undefined) yield* stdin;
    })(),
  };
}

const sudo = ['sudo', '-n', '--'];
const isRoot = () => process.getuid?.() === 0;

export function localShell(where: string, signal?: AbortSignal): TargetShell {
  return {
    where,
    run: (script, asRoot = false, stdin, speaks) => {
      const { command, input } = byInput(script, stdin);
      const [program, ...args] = [...(asRoot && !isRoot() ? sudo : []), 'sh', '-c', command];
      return run(where, program!, args, input, signal, speaks);
    },
  };
}

/** @param remoteRoot whether the user there is root, so that there is no need of sudo */
export function sshShell(target: SshTarget, remoteRoot: () => boolean, signal?: AbortSignal): TargetShell {
  const { destination, port } = target;
  return {
    where: port === undefined ? destination : `${destination}:${port}`,
    run: (script, asRoot = false, stdin, speaks) => {
      const { command, input } = byInput(script, stdin);
      const asked = `${asRoot && !remoteRoot() ? `${sudo.join(' ')} ` : ''}sh -c ${quoted(command)}`;
      return run(destination, 'ssh', [...sshSettings(target), ...sshCommand(target, asked)], input, signal, speaks);
    },
  };
}

/** A script that refuses writes three lines to stderr: code, message, the next thing to do. */
export const refusedExit = 79;

/** What ssh itself ends with where it has no connection. */
const sshFailed = 255;

async function run(
  where: string,
  program: string,
  args: readonly string[],
  stdin: Input,
  signal: AbortSignal | undefined,
  speaks: (() => void) | undefined,
): Promise<string> {
  const child = spawn(program, args, { stdio: 'pipe' });
  const stop = () => child.kill();
  signal?.addEventListener('abort', stop, { once: true });
  const [out, err] = [child.stdout, child.stderr].map(stream => {
    const said = { text: '' };
    stream.setEncoding('utf8').on('data', (text: string) => {
      said.text += text;
    });
    return said;
  }) as [{ text: string }, { text: string }];
  if (speaks !== undefined) child.stdout.once('data', speaks);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // Where the other end stops reading, its exit code says why.
  const fed = pipeline(Readable.from(stdin), child.stdin).catch((error: unknown) => messageOf(error));
  try {
    const code = await ended;
    await fed;
    if (code === 0) return out.text;
    if (signal?.aborted === true)
      throw new KitError('E_INTERRUPTED', `interrupted on ${where}`, 'run it again: it goes on', 'interrupt');
    const said = err.text.trim() === '' ? out.text.trim() : err.text.trim();
    if (code === refusedExit) {
      const [name, message, hint] = said.split('\n').slice(-3);
      throw new KitError(name!, `on ${where}: ${message}`, hint!);
    }
    if (program === 'ssh' && code === sshFailed)
      throw sshError({ program, destination: where, code, stderr: err.text, again: 'run it again: it goes on' });
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
    if (program === 'ssh') throw sshMissing(program, error);
    throw new KitError('E_TARGET_PROGRAM', `there is no program ${program} here`, `install it`, 'usage', {
      cause: error,
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
