/** A real OpenSSH server on a loopback port, with keys that live as long as the test, started without root. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const program = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find(path => existsSync(path));
const hasClient = ['ssh', 'ssh-keygen'].every(name => spawnSync(name, ['-V']).error === undefined);
export const hasOpenSsh = program !== undefined && hasClient;

export interface SshServer {
  /** For `ssh -F`. */
  readonly configPath: string;
  /** `user@127.0.0.1:port`. */
  readonly target: string;
  stop(): void;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('close', () => socket.destroy());
    setTimeout(() => socket.destroy(), 200);
  });

export async function startSshServer(): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sshd-'));
  const at = (name: string) => join(folder, name);
  for (const key of ['host', 'mine']) {
    const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
    chmodSync(at(key), 0o600);
  }
  copyFileSync(at('mine.pub'), at('authorized_keys'));
  const port = await freePort();
  writeFileSync(
    at('sshd_config'),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${at('host')}
AuthorizedKeysFile ${at('authorized_keys')}
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
`,
  );
  writeFileSync(
    at('config'),
    `Host *
  IdentityFile ${at('mine')}
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile ${at('known_hosts')}
  LogLevel ERROR
  BatchMode yes
`,
  );
  // Where the server runs as root it keeps an empty folder for its unprivileged half.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const server: ChildProcess = spawn(program!, ['-D', '-e', '-f', at('sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 200 || server.exitCode !== null) throw new Error(`sshd does not come up: ${said}`);
    await sleep(50);
  }
  return {
    configPath: at('config'),
    target: `${userInfo().username}@127.0.0.1:${port}`,
    stop() {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
