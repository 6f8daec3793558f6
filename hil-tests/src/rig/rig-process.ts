/** A rig in a process of its own, from outside: start it, open `path` with anything, do it harm, ask what happened. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';
import type { RigEvent } from './rig-messages.js';

export class RigProcess<Request extends { readonly kind: string }, Report> {
  readonly path: string;
  readonly #child: ChildProcess;
  readonly #waiting: Map<number, (report: Report | undefined) => void>;
  #asked = 0;

  private constructor(child: ChildProcess, path: string, waiting: Map<number, (report: Report | undefined) => void>) {
    this.#child = child;
    this.path = path;
    this.#waiting = waiting;
  }

  /**
   * @param program in this folder; calls `serveRig`
   * @throws KitError E_RIG where it does not come up
   */
  static start<Setup extends object, Request extends { readonly kind: string }, Report>(
    program: string,
    setup: Setup,
  ): Promise<RigProcess<Request, Report>> {
    const child = fork(fileURLToPath(new URL(program, import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    const waiting = new Map<number, (report: Report | undefined) => void>();
    return new Promise((resolve, reject) => {
      const fail = (why: string) =>
        reject(new KitError('E_RIG', `the rig did not start: ${why}`, 'see `kit doctor`', 'noDevice'));
      child.on('exit', code => fail(`its process ended with ${code}`));
      child.on('message', (event: RigEvent<Report>) => {
        if (event.kind === 'ready') resolve(new RigProcess(child, event.path, waiting));
        else if (event.kind === 'failed') fail(event.message);
        else {
          waiting.get(event.id)?.(event.report);
          waiting.delete(event.id);
        }
      });
      child.send(setup);
    });
  }

  #ask(request: Request | { readonly kind: 'report' }): Promise<Report | undefined> {
    const id = ++this.#asked;
    return new Promise(resolve => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, ...request });
    });
  }

  async tell(request: Exclude<Request, { kind: 'report' | 'stop' }>): Promise<void> {
    await this.#ask(request);
  }

  async report(): Promise<Report> {
    return (await this.#ask({ kind: 'report' }))!;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise(resolve => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await gone;
  }
}
