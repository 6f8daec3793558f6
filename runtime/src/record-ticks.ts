/**
 * What the recorder's thread does: takes ticks out of the ring and writes them into the log. A chunk is closed and synced a second after its
 * first record at the latest, so that a process that is killed loses no more than that.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { LogFile } from './log-file.js';
import { LogWriter } from './log-writer.js';
import { RecordRing } from './record-ring.js';
import type { RecorderMessage, RecorderWorkerData } from './recorder-messages.js';

/** A second, less the time between two looks and what writing may take on a busy machine. */
const chunkMs = 700;
const lookMs = 50;
/** Of the ticks' own time: in virtual time far more than a second of it goes by while the clock on the wall says one. */
const chunkS = 1;

/** Records until the ring is closed and empty, or the file fails. @param create the file; the disk's own, but where a failing one is tested */
export function recordTicks(create: (path: string) => LogFile): void {
  const { memory, path, metadata, policyDigest } = workerData as RecorderWorkerData;
  const ring = new RecordRing(memory);
  /** SHA-256 of the policies' manifests, in the order in which they drove. */
  const digests = [policyDigest];
  const post = (message: RecorderMessage) => parentPort!.postMessage(message);

  function fail(error: unknown): void {
    const known =
      error instanceof KitError
        ? error
        : new KitError(
            'E_LOG_WRITE',
            `can't go on writing the log ${path}: ${messageOf(error)}`,
            `free some space; what was written is kept: kit logs recover ${path}`,
          );
    ring.fail();
    post({ kind: 'failed', code: known.code, message: known.message, hint: known.hint, exit: known.exit });
  }

  function digestOf(policy: number): string {
    while (digests.length <= policy) {
      const received = receiveMessageOnPort(parentPort!) as { readonly message: string } | undefined;
      if (received === undefined) throw new Error(`a record is of policy ${policy}, and nobody said which that is`);
      digests.push(received.message);
    }
    return digests[policy]!;
  }

  function record(writer: LogWriter): void {
    let chunkOpenedMs = 0;
    let chunkFromS = 0;
    for (;;) {
      // Asked before the ring is emptied: what was pushed before it was closed is still taken.
      const closing = ring.closing;
      for (let tick = ring.shift(); tick !== undefined; tick = ring.shift()) {
        if (writer.openRecords === 0) {
          chunkOpenedMs = performance.now();
          chunkFromS = tick.timeS;
        }
        writer.add({ ...tick, policyDigest: digestOf(tick.policy) });
        if (performance.now() - chunkOpenedMs >= chunkMs || tick.timeS - chunkFromS >= chunkS) writer.closeChunk();
      }
      if (closing) return;
      if (writer.openRecords > 0 && performance.now() - chunkOpenedMs >= chunkMs) writer.closeChunk();
      ring.sleep(lookMs);
    }
  }

  function open(): LogWriter | undefined {
    try {
      return new LogWriter(create(path), metadata);
    } catch (error) {
      fail(error);
      return undefined;
    }
  }

  function abandon(writer: LogWriter, cause: unknown): void {
    try {
      writer.abandon();
      fail(cause);
    } catch (error) {
      fail(new Error(`${messageOf(cause)}; nor could it be closed: ${messageOf(error)}`));
    }
  }

  const writer = open();
  if (writer !== undefined) {
    post({ kind: 'ready' });
    try {
      record(writer);
      writer.finish();
      post({ kind: 'closed', records: writer.records, chunks: writer.chunks, bytes: writer.bytes });
    } catch (error) {
      abandon(writer, error);
    }
  }
}
