/** A real OpenSSH server on a high loopback port, with keys that are thrown away: a robot behind it has what `PATH` says, and no more. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@sim2servo/hil-tests/rig/free-port';
import { writeDurably } from '@sim2servo/models/durable-file';
import { CutProxy } from './cut-proxy.js';

const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find(path => existsSync(path));
const client = spawnSync('ssh', ['-V']).error === undefined && spawnSync('sftp', ['-h']).error === undefined;
/** For tests with a real one: where there is none they say what is missing. */
export const needsSshd = {
  skip:
    process.platform === 'win32' || sshd === undefined || !client ? 'needs ssh, sftp and sshd (openssh-server)' : false,
};

const startTimeoutMs = 10_000;
const user = process.getuid === undefined ? '' : userInfo().username;

export class Sshd {
  readonly proxy: CutProxy;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess, proxy: CutProxy) {
    this.#folder = folder;
    this.#child = child;
    this.proxy = proxy;
  }

  /** @param path where a robot's programs are looked for, before the system's */
  static async start(folder: string, path: string): Promise<Sshd> {
    mkdirSync(folder, { recursive: true });
    const at = (name: string) => join(folder, name);
    for (const name of ['host', 'user', 'stranger'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
    writeFileSync(at('authorized'), readFileSync(at('user.pub')));
    // Its own place to put off its rights in, where it has any; the system's start script makes the same.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const port = await freePort();
    const settings = {
      Port: port,
      ListenAddress: '127.0.0.1',
      HostKey: at('host'),
      AuthorizedKeysFile: at('authorized'),
      PidFile: 'none',
      UsePAM: 'no',
      StrictModes: 'no',
      PasswordAuthentication: 'no',
      KbdInteractiveAuthentication: 'no',
      PermitRootLogin: 'prohibit-password',
      PermitUserEnvironment: 'no',
      Subsystem: 'sftp internal-sftp',
      SetEnv: `PATH=${path}:${process.env.PATH}`,
      MaxStartups: 100,
    };
    const config = at('sshd_config');
    writeFileSync(
      config,
      Object.entries(settings)
        .map(([name, value]) => `${name} ${value}\n`)
        .join(''),
    );
    const child = spawn(sshd!, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr!.on('data', chunk => {
      said += chunk;
    });
    for (const since = performance.now(); !said.includes('listening on'); await sleep(20))
      if (child.exitCode !== null || performance.now() - since > startTimeoutMs)
        throw new Error(`sshd did not start: ${said}`);
    const it = new Sshd(folder, child, await CutProxy.start(port));
    it.knows('host');
    return it;
  }

  /** `--to` of it. */
  get target(): string {
    return `${user}@127.0.0.1:${this.proxy.port}`;
  }

  /** Which host key the client has for it; undefined: none. */
  knows(key: 'host' | 'stranger' | undefined): void {
    const known = key === undefined ? '' : readFileSync(join(this.#folder, `${key}.pub`), 'utf8');
    writeFileSync(
      join(this.#folder, 'known_hosts'),
      known === '' ? '' : `[127.0.0.1]:${this.proxy.port} ${known.split(' ').slice(0, 2).join(' ')}\n`,
    );
  }

  /** `--ssh-config` of a client with this key. */
  config(key: 'user' | 'stranger' = 'user', more = ''): string {
    const path = join(this.#folder, `config-${key}`);
    const settings = {
      IdentityFile: join(this.#folder, key),
      IdentitiesOnly: 'yes',
      IdentityAgent: 'none',
      UserKnownHostsFile: join(this.#folder, 'known_hosts'),
      GlobalKnownHostsFile: 'none',
      StrictHostKeyChecking: 'yes',
    };
    const lines = Object.entries(settings).map(([name, value]) => `  ${name} ${value}\n`);
    // In one step: another client may be reading it.
    writeDurably(path, `Host *\n${lines.join('')}${more}`, 0o600);
    return path;
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill();
    await gone;
  }
}
