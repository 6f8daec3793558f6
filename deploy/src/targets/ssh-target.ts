/**
 * A robot behind OpenSSH: the system's own `ssh` and `sftp`, so keys, agents, jump hosts, known hosts and configuration are what they are
 * at the prompt. `ssh` carries the questions, to the program `sim2servo-robot agent`; `sftp` the files, over the same connection.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KitError } from '@sim2servo/models/error';
import { AgentLines } from '../agent/agent-lines.js';
import { type OutgoingFile, protocolVersion, type Request, type RobotConnection } from '../agent/protocol.js';
import { type SshEnd, sshError, sshMissing } from './ssh-errors.js';
import { type SshOptions, sshCommand, sshSettings } from './ssh-settings.js';
import type { Target } from './target.js';

const remoteCommand = 'sim2servo-robot agent';
/** A person may have a password to type. */
/** A person may have a password to type. */
const helloTimeoutMs = (batch: boolean | undefined) => (batch === true ? 20_000 : 180_000);
const progressMs = 500;
const patienceMs = 5_000;
const keptBytes = 8192;

/** @throws KitError E_TARGET_*, E_SSH_* */
export async function connectSsh(
  { destination, port }: Extract<Target, { kind: 'ssh' }>,
  options: SshOptions,
): Promise<RobotConnection> {
  const folder = mkdtempSync(join(tmpdir(), 'kit-ssh-'));
  const settings = sshSettings(
    options,
    // OpenSSH of Windows can't share a connection.
    process.platform === 'win32' ? {} : { ControlMaster: 'auto', ControlPath: join(folder, 'master') },
  );
  const ssh = spawn('ssh', [...settings, '-T', ...sshCommand({ destination, port }, remoteCommand)], { stdio: 'pipe' });
  const end = ended(ssh, 'ssh', destination);
  const lines = new AgentLines(ssh.stdout!, ssh.stdin!, async cause => {
    if (cause instanceof Error) ssh.kill();
    const failure = await end;
    return cause === undefined
      ? failure
      : new KitError(
          'E_TARGET_SPEECH',
          `${destination} says what is no part of the deployment protocol: ${(cause as Error).message}`,
          'a login script (.bashrc) must not print where nobody sits at the prompt; else provision the robot again',
          'noDevice',
          { cause },
        );
  });
  const transfers = new Set<ChildProcess>();
  const connection = {
    request: lines.request.bind(lines) as RobotConnection['request'],
    async close() {
      for (const sftp of transfers) sftp.kill();
      ssh.stdin!.end();
      // What installs is finished there, whether we wait or not.
      await Promise.race([end, sleep(patienceMs, undefined, { ref: false })]);
      ssh.kill();
      await end;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const hello = Promise.race([
    connection.request({ kind: 'hello', protocol: protocolVersion }),
    sleep(helloTimeoutMs(options.batch), undefined, { ref: false }).then(() => {
      throw new KitError(
        'E_TARGET_SILENT',
        `${destination} let us in and says nothing`,
        `try it by hand: ssh ${destination} ${remoteCommand}`,
        'noDevice',
      );
    }),
  ]);
  const incoming = await hello.then(
    answer => answer.incoming,
    async error => {
      await connection.close();
      throw error;
    },
  );

  return {
    ...connection,
    async send({ sha256, content }: OutgoingFile, from, onSent) {
      const local = join(folder, sha256);
      writeFileSync(local, content);
      const [user, host] = split(destination);
      const place = `${user}${host.includes(':') ? `[${host}]` : host}`;
      const sftp = spawn(
        'sftp',
        [...settings, '-q', ...(port === undefined ? [] : ['-P', String(port)]), '-b', '-', '--', place],
        { stdio: ['pipe', 'ignore', 'pipe'] },
      );
      transfers.add(sftp);
      const over = ended(sftp, 'sftp', destination);
      const wanted: Request = { kind: 'lacking', files: [{ sha256, bytes: content.length }] };
      // How far it is the robot says; whether it broke off, the transfer.
      const progress = setInterval(
        () => void connection.request(wanted).then(answer => onSent(answer[0]?.from ?? content.length), ignored),
        progressMs,
      );
      try {
        // Our path has no quotes in it, and the robot's none as its schema has it.
        sftp.stdin!.on('error', ignored);
        sftp.stdin!.end(`${from > 0 ? 'reput' : 'put'} "${local}" "${incoming}/${sha256}.part"\n`);
        const failure = await over;
        if (sftp.exitCode !== 0) throw failure;
        onSent(content.length);
      } finally {
        clearInterval(progress);
        transfers.delete(sftp);
        rmSync(local, { force: true });
      }
    },
  };
}

/** Said elsewhere, and better. */
function ignored(): void {}

function split(destination: string): [string, string] {
  const at = destination.indexOf('@') + 1;
  return [destination.slice(0, at), destination.slice(at)];
}

/** Why it ended, once it has. */
async function ended(child: ChildProcess, program: SshEnd['program'], destination: string): Promise<KitError> {
  let stderr = '';
  child.stderr!.on('data', chunk => {
    stderr = (stderr + chunk).slice(-keptBytes);
  });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return sshError({ program, destination, code, stderr });
  } catch (error) {
    return sshMissing(program, error);
  }
}
