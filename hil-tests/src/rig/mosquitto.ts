/**
 * A real broker in a process of its own: Mosquitto, where the system has it. Plain, or with TLS
 * and client certificates.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KitError } from '@sim2servo/models/error';
import type { Certificate } from './certificates.js';

const startTimeoutMs = 5_000;

/** Debian keeps it where only root's path leads. */
const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
export const hasMosquitto = spawnSync('mosquitto', ['-h'], { env: { PATH: path } }).error === undefined;

export interface MosquittoOptions {
  /** With these only those get in that `ca` has signed; their common name is their user name. */
  readonly tls?: Certificate & { readonly ca: string };
  /** Lines of Mosquitto's access list; everybody may do everything without. */
  readonly acl?: string;
}

export class Mosquitto {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  readonly #options: MosquittoOptions;
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(port: number, options: MosquittoOptions) {
    this.#port = port;
    this.#options = options;
  }

  /** @throws KitError E_MOSQUITTO where it does not come up */
  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), options);
    await broker.resume();
    return broker;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'mqtt' : 'mqtts'}://127.0.0.1:${this.#port}`;
  }

  /** Starts it (again) on its port. */
  async resume(): Promise<void> {
    const { tls, acl } = this.#options;
    const aclFile = join(this.#folder, 'acl');
    if (acl !== undefined) writeFileSync(aclFile, acl, { mode: 0o600 });
    const config = join(this.#folder, 'mosquitto.conf');
    const lines = [
      `listener ${this.#port} 127.0.0.1`,
      'set_tcp_nodelay true',
      'persistence false',
      // Else it changes to a user who may not read our files.
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      ...(acl === undefined ? [] : [`acl_file ${aclFile}`]),
      ...(tls === undefined
        ? ['allow_anonymous true']
        : [
            `cafile ${tls.ca}`,
            `certfile ${tls.cert}`,
            `keyfile ${tls.key}`,
            'require_certificate true',
            'use_identity_as_username true',
          ]),
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    const child = spawn('mosquitto', ['-c', config], { env: { PATH: path }, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    child.stderr.on('data', chunk => {
      said += chunk;
    });
    for (const since = performance.now(); performance.now() - since < startTimeoutMs; await sleep(20))
      if (child.exitCode !== null || (await listens(this.#port))) break;
    if (child.exitCode === null) return;
    throw new KitError('E_MOSQUITTO', `mosquitto ended with ${child.exitCode}: ${said}`, 'see its configuration');
  }

  /** Kills it: nobody is told. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
