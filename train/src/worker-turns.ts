/**
 * A worker thread that answers one request at a time: both ends of the conversation.
 *
 * An error on the far side comes back with its code, hint and exit; a thread that dies fails the request under way and all later ones.
 */
import { parentPort, Worker } from 'node:worker_threads';
import { KitError } from '@sim2servo/models/error';
import { type PackedError, packError, unpackError } from '@sim2servo/models/packed-error';

type Answer<Reply> = { readonly reply: Reply } | { readonly error: PackedError } | { readonly ready: true };

/** The caller's end. */
export class WorkerTurns<Request, Reply> {
  readonly #worker: Worker;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: unknown) => void } | undefined;
  #broken: unknown;

  private constructor(script: URL, setup: unknown) {
    this.#worker = new Worker(script, { workerData: setup });
    this.#worker.on('message', (answer: Answer<Reply>) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if ('error' in answer) waiting?.reject(unpackError(answer.error));
      else waiting?.resolve('reply' in answer ? answer.reply : (undefined as Reply));
    });
    this.#worker.on('error', error => this.#die(error));
    this.#worker.on('exit', code =>
      this.#die(
        new KitError('E_WORKER', `A worker thread ended with code ${code}.`, 'Report this: it is a bug.', 'bug'),
      ),
    );
  }

  /** Resolves when the script has made everything it needs. */
  static async start<Request, Reply>(script: URL, setup: unknown): Promise<WorkerTurns<Request, Reply>> {
    const turns = new WorkerTurns<Request, Reply>(script, setup);
    try {
      await turns.#answer();
      return turns;
    } catch (error) {
      await turns.dispose();
      throw error;
    }
  }

  /** The promise may be awaited late: a failure that nobody awaits yet ends no process. */
  ask(request: Request): Promise<Reply> {
    if (this.#waiting)
      throw new KitError('E_WORKER', 'The worker thread is still at its last request.', 'Await that first.', 'bug');
    const answer = this.#answer();
    answer.catch(() => undefined); // the awaiting side still sees it
    if (this.#broken === undefined) this.#worker.postMessage(request);
    return answer;
  }

  async dispose(): Promise<void> {
    this.#worker.removeAllListeners('exit');
    await this.#worker.terminate();
  }

  #answer(): Promise<Reply> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #die(error: unknown): void {
    this.#broken ??= error;
    this.#waiting?.reject(this.#broken);
    this.#waiting = undefined;
  }
}

/** The thread's end: makes the serving function, then answers each request with what it returns. */
export async function serveTurns<Request, Reply>(
  prepare: () => Promise<(request: Request) => Promise<Reply>>,
): Promise<void> {
  const port = parentPort;
  if (port === null)
    throw new KitError('E_WORKER', 'This script serves only as a worker thread.', 'Report this: it is a bug.', 'bug');
  const answer = (message: Answer<Reply>) => port.postMessage(message);
  try {
    const serve = await prepare();
    port.on('message', (request: Request) => {
      serve(request).then(
        reply => answer({ reply }),
        (error: unknown) => answer({ error: packError(error, 'E_WORKER') }),
      );
    });
    answer({ ready: true });
  } catch (error) {
    answer({ error: packError(error, 'E_WORKER') });
  }
}
