/** A real broker in a process of its own, which can be killed and come back: a test that blocks its event loop does not block the broker. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KitError } from '@sim2servo/models/error';
import type { Certificate } from '../certificates.js';
import { freePort } from '../free-port.js';

export interface BrokerOptions {
  /** With these only those get in that `ca` has signed; their common name is their user name. */
  readonly tls?: Certificate & { readonly ca: string };
  /** Lines of Mosquitto's access list; everybody may do everything without. */
  readonly acl?: string;
}

/** How a kind of broker is started. */
export interface BrokerLaunch {
  readonly scheme: 'mqtt' | 'mqtts';
  /** Its process, which listens on 127.0.0.1, or ends and says why on stderr. */
  spawn(port: number): ChildProcess;
  /** Takes away what it was started with. */
  tidy(): void;
}

const startTimeoutMs = 10_000;

export class BrokerProcess {
  readonly url: string;
  readonly #port: number;
  readonly #launch: BrokerLaunch;
  #child: ChildProcess | undefined;

  private constructor(port: number, launch: BrokerLaunch) {
    this.url = `${launch.scheme}://127.0.0.1:${port}`;
    this.#port = port;
    this.#launch = launch;
  }

  /** @throws KitError E_BROKER_START where it does not come up */
  static async start(launch: BrokerLaunch): Promise<BrokerProcess> {
    const broker = new BrokerProcess(await freePort(), launch);
    await broker.resume();
    return broker;
  }

  /** Starts it (again) on its port. */
  async resume(): Promise<void> {
    const child = this.#launch.spawn(this.#port);
    this.#child = child;
    let said = '';
    child.stderr!.on('data', chunk => {
      said += chunk;
    });
    for (const since = performance.now(); performance.now() - since < startTimeoutMs; await sleep(20)) {
      if (child.exitCode !== null) break;
      if (await listens(this.#port)) return;
    }
    const why = child.exitCode === null ? `did not listen within ${startTimeoutMs} ms` : `ended with ${child.exitCode}`;
    await this.stop();
    throw new KitError('E_BROKER_START', `the broker on port ${this.#port} ${why}: ${said}`, 'see what it was given');
  }

  /** Kills it: nobody is told, and what it retained is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#launch.tidy();
  }
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
