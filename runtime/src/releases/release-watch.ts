/**
 * The loop's side of the thread that watches a release store: which policy drives first, which takes over, how a trial goes. A thread of its
 * own reads, verifies, tests and judges; what arrives here is ready to take over, and decided.
 */
import { Worker } from 'node:worker_threads';
import { KitError, messageOf } from '@sim2servo/models/error';
import { unpackError } from '@sim2servo/models/packed-error';
import type { TrialNews } from '../trial/trial-news.js';
import type { NextPolicy } from './following-policy.js';
import type { OpenedRelease, ReleaseMessage, ReleaseWatchData, WatchOrder } from './release-messages.js';

export interface ReleaseHandlers {
  ready(next: NextPolicy): void;
  back(reason: string): void;
  settle(): void;
  goAt(share: number): void;
  news(news: TrialNews): void;
  /** One can't take over, and why; the old one goes on. */
  refused(digest: string, error: KitError): void;
  /** The thread is gone: nobody judges any more. */
  lost(error: KitError): void;
}

export class ReleaseWatch {
  readonly first: OpenedRelease;
  readonly #worker: Worker;
  readonly #closed: Promise<void>;
  #handlers: ReleaseHandlers | undefined;
  /** What came before there were handlers. */
  readonly #early: ReleaseMessage[];

  /**
   * Resolves once it is known which policy drives.
   *
   * @param thread the program of the thread: another one to see what comes of a store that fails. It calls `watchStore`.
   * @throws KitError E_POLICY_MISSING, E_BUNDLE_*, E_STORE_*
   */
  static open(
    data: ReleaseWatchData,
    thread = new URL('./release-watch-worker.js', import.meta.url),
  ): Promise<ReleaseWatch> {
    const worker = new Worker(thread, { workerData: data, execArgv: [] });
    return new Promise((resolve, reject) => {
      const early: ReleaseMessage[] = [];
      const hear = (message: ReleaseMessage) => {
        if (message.kind === 'unopened') reject(unpackError(message.error));
        else early.push(message);
        if (message.kind !== 'opened') return;
        worker.off('message', hear);
        worker.off('error', reject);
        resolve(new ReleaseWatch(worker, message, early));
      };
      worker.on('message', hear);
      worker.once('error', reject);
    });
  }

  private constructor(worker: Worker, first: OpenedRelease, early: ReleaseMessage[]) {
    this.first = first;
    this.#early = early;
    this.#worker = worker;
    this.#closed = new Promise(resolve => {
      worker.on('message', (message: ReleaseMessage) => {
        if (message.kind === 'closed') resolve();
        else this.#hear(message);
      });
      worker.on('error', error => {
        resolve();
        this.#handlers?.lost(
          new KitError(
            'E_FOLLOW',
            `nobody looks for new policies any more: ${messageOf(error)}`,
            'end the run, and start it again',
            'bug',
          ),
        );
      });
      worker.on('exit', () => resolve());
    });
  }

  /** The arm is about to be armed. */
  go(handlers: ReleaseHandlers): void {
    this.#handlers = handlers;
    for (const message of this.#early) this.#hear(message);
    this.#order({ kind: 'go' });
  }

  /** The run is over: waits until the store knows. @param stopped why, where the arm was stopped for safety */
  async close(stopped?: string): Promise<void> {
    this.#order({ kind: 'end', ...(stopped !== undefined && { stopped }) });
    await this.#closed;
    await this.#worker.terminate();
  }

  #order(order: WatchOrder): void {
    this.#worker.postMessage(order);
  }

  #hear(message: ReleaseMessage): void {
    const handlers = this.#handlers;
    if (handlers === undefined) {
      this.#early.push(message);
      return;
    }
    if (message.kind === 'ready') handlers.ready(message);
    else if (message.kind === 'back') handlers.back(message.reason);
    else if (message.kind === 'settle') handlers.settle();
    else if (message.kind === 'goAt') handlers.goAt(message.share);
    else if (message.kind === 'news') handlers.news(message.news);
    else if (message.kind === 'refused') handlers.refused(message.digest, unpackError(message.error));
  }
}
