/**
 * Records ticks into a log without ever making the loop wait for a disk: a ring in shared memory, and a thread that empties it.
 *
 * A full ring drops a record and counts it; the loop then ends the episode, so that no episode of a log has a silent hole.
 */
import { Worker } from 'node:worker_threads';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { LogHeader } from './log-writer.js';
import { createRingMemory, RecordRing } from './record-ring.js';
import type { RecordedLog, RecorderMessage, RecorderWorkerData } from './recorder-messages.js';
import type { RecordSizes, TickRecord, TickSink } from './tick-record.js';

export interface RecorderOptions {
  readonly path: string;
  readonly header: LogHeader;
  readonly sizes: RecordSizes;
  /** Records the ring holds, a power of two; 1024 are 20 s at 50 Hz. */
  readonly capacity?: number;
  /** For virtual time only: wait for room instead of dropping. The default drops. */
  readonly waitForRoom?: boolean;
  /** The program of the thread: another one to see what comes of a disk that fails. It calls `recordTicks`. */
  readonly thread?: URL;
}

/** A thread that takes nothing for so long, while time is virtual, is stuck. */
const stuckMs = 20_000;

export class Recorder implements TickSink {
  readonly path: string;
  readonly #worker: Worker;
  readonly #ring: RecordRing;
  readonly #wait: boolean;
  readonly #closed: Promise<RecordedLog>;
  #policy = 0;
  #failure: KitError | undefined;

  /** Resolves once the file exists. @throws KitError E_LOG_EXISTS, E_LOG_WRITE */
  static open(options: RecorderOptions): Promise<Recorder> {
    return new Promise((resolve, reject) => {
      const recorder = new Recorder(options, () => resolve(recorder));
      recorder.#closed.catch(reject);
    });
  }

  private constructor(options: RecorderOptions, ready: () => void) {
    const { header } = options;
    const memory = createRingMemory(options.sizes, options.capacity ?? 1024);
    this.path = options.path;
    this.#ring = new RecordRing(memory);
    this.#wait = options.waitForRoom ?? false;
    const data: RecorderWorkerData = {
      memory,
      path: options.path,
      metadata: new Map(Object.entries(header).map(([key, value]) => [key, String(value)])),
      policyDigest: header.policyDigest,
    };
    this.#worker = new Worker(options.thread ?? new URL('./recorder-worker.js', import.meta.url), {
      workerData: data,
      execArgv: [],
    });
    this.#closed = new Promise((resolve, reject) => {
      const fail = (error: KitError) => {
        this.#failure = error;
        reject(error);
      };
      const died = (why: string) =>
        fail(
          new KitError(
            'E_RECORDER',
            `the recorder's thread died: ${why}`,
            `see what is kept: kit logs info ${options.path}`,
            'bug',
          ),
        );
      this.#worker.on('message', (message: RecorderMessage) => {
        if (message.kind === 'ready') ready();
        else if (message.kind === 'closed')
          resolve({ records: message.records, chunks: message.chunks, bytes: message.bytes });
        else fail(new KitError(message.code, message.message, message.hint, message.exit));
      });
      this.#worker.on('error', error => died(messageOf(error)));
      this.#worker.on('exit', code => {
        if (code !== 0) died(`exit code ${code}`);
      });
    });
    // Read by close(); until then failure() tells.
    this.#closed.catch(() => {});
  }

  get dropped(): number {
    return this.#ring.dropped;
  }

  /** Records that the thread has not taken yet. */
  get waiting(): number {
    return this.#ring.waiting;
  }

  record(tick: TickRecord): boolean {
    if (this.#ring.failed) return false;
    if (this.#wait && !this.#ring.waitForRoom(stuckMs)) return false;
    return this.#ring.push(tick, this.#policy);
  }

  /** What is recorded from now on was driven by another policy. */
  policyChanged(digest: string): void {
    // It is there before the first record that asks for it: a message is in the other thread's queue once this returns.
    this.#worker.postMessage(digest);
    this.#policy++;
  }

  failure(): KitError | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (!this.#ring.failed) return undefined;
    // The thread's message is still on its way; close() will bring it.
    return new KitError(
      'E_LOG_WRITE',
      `the log ${this.path} can't be written any more`,
      `kit logs recover ${this.path}`,
    );
  }

  /** Writes what is waiting, and the index. @throws KitError E_LOG_WRITE with what went wrong */
  async close(): Promise<RecordedLog> {
    this.#ring.close();
    try {
      return await this.#closed;
    } finally {
      await this.#worker.terminate();
    }
  }
}
