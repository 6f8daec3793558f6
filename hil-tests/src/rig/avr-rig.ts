/** A handle on a rig in its own process: start it, open `path` with anything, do it harm, ask what happened. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';
import type { RigEvent, RigReport, RigRequest, RigSetup } from './rig-messages.js';

export class AvrRig {
  readonly path: string;
  readonly #child: ChildProcess;
  readonly #waiting: Map<number, (report: RigReport | undefined) => void>;
  #asked = 0;

  private constructor(
    child: ChildProcess,
    path: string,
    waiting: Map<number, (report: RigReport | undefined) => void>,
  ) {
    this.#child = child;
    this.path = path;
    this.#waiting = waiting;
  }

  /** @throws KitError E_RIG where it does not come up */
  static async start(setup: RigSetup): Promise<AvrRig> {
    const child = fork(fileURLToPath(new URL('./avr-process.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    const waiting = new Map<number, (report: RigReport | undefined) => void>();
    return new Promise((resolve, reject) => {
      const fail = (why: string) =>
        reject(new KitError('E_RIG', `the rig did not start: ${why}`, 'see `kit doctor`', 'noDevice'));
      child.on('exit', code => fail(`its process ended with ${code}`));
      child.on('message', (event: RigEvent) => {
        if (event.kind === 'ready') resolve(new AvrRig(child, event.path, waiting));
        else if (event.kind === 'failed') fail(event.message);
        else {
          waiting.get(event.id)?.(event.report);
          waiting.delete(event.id);
        }
      });
      child.send(setup);
    });
  }

  #ask(request: RigRequest): Promise<RigReport | undefined> {
    const id = ++this.#asked;
    return new Promise(resolve => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, ...request });
    });
  }

  async tell(request: Exclude<RigRequest, { kind: 'report' | 'stop' }>): Promise<void> {
    await this.#ask(request);
  }

  async report(): Promise<RigReport> {
    return (await this.#ask({ kind: 'report' }))!;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise(resolve => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await gone;
  }
}
