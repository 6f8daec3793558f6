/**
 * Reads logs, whole or cut off anywhere: everything up to the last whole chunk comes out, in order, and how the file ends is told.
 * Files are read in blocks, so a day of logging needs no more memory than a minute.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { McapStreamReader } from '@mcap/core';
import { KitError, messageOf } from '@sim2servo/models/error';
import { decodeTransition, type TransitionRecord, transitionTopic } from '@sim2servo/models/transition';
import { logMetadata } from './log-writer.js';

export interface LogVisitor {
  metadata?(metadata: ReadonlyMap<string, string>): void;
  /** A chunk begins; its records follow. */
  chunk?(): void;
  record?(record: TransitionRecord): void;
}

export interface LogScan {
  readonly bytes: number;
  readonly records: number;
  readonly chunks: number;
  /** Whether the file ends as a finished log does, with its index. */
  readonly complete: boolean;
  /** Bytes at the end that belong to no whole chunk or record. */
  readonly lostBytes: number;
  /** What is wrong beyond a missing end; empty where nothing is. */
  readonly damage: string;
}

const blockBytes = 2 ** 20;

/** What a log is made of, in the order of the file. */
export type LogItem =
  | { readonly kind: 'metadata'; readonly metadata: ReadonlyMap<string, string> }
  | { readonly kind: 'chunk' }
  | { readonly kind: 'record'; readonly record: TransitionRecord }
  | { readonly kind: 'end'; readonly scan: LogScan };

/** @throws KitError E_LOG_READ, E_LOG_FORMAT (not an MCAP file at all) */
export function readLog(path: string, visitor: LogVisitor): LogScan {
  let scan: LogScan | undefined;
  for (const item of logItems(path)) {
    if (item.kind === 'metadata') visitor.metadata?.(item.metadata);
    else if (item.kind === 'chunk') visitor.chunk?.();
    else if (item.kind === 'record') visitor.record?.(item.record);
    else scan = item.scan;
  }
  return scan!;
}

/**
 * The same piece by piece, for who must let others run between two records. How the log ended comes last.
 *
 * @throws KitError E_LOG_READ, E_LOG_FORMAT
 */
export function* logItems(path: string): Generator<LogItem> {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    throw new KitError('E_LOG_READ', `can't read the log ${path}: ${messageOf(error)}`, 'check the path', 'usage', {
      cause: error,
    });
  }
  try {
    if (!fstatSync(handle).isFile())
      throw new KitError('E_LOG_READ', `${path} is no file`, 'name one .mcap file', 'usage');
    yield { kind: 'end', scan: yield* scan(path, handle) };
  } finally {
    closeSync(handle);
  }
}

function* scan(path: string, handle: number): Generator<LogItem, LogScan> {
  const bytes = fstatSync(handle).size;
  const reader = new McapStreamReader({ includeChunks: true });
  const channels = new Set<number>();
  const block = new Uint8Array(blockBytes);
  let fed = 0;
  let anything = false;
  let records = 0;
  let chunks = 0;
  let damage = '';
  while (damage === '' && !reader.done()) {
    const count = readSync(handle, block, 0, blockBytes, fed);
    if (count === 0) break;
    fed += count;
    // Only what the parser throws is damage.
    const parse = <T>(step: () => T): T | undefined => {
      try {
        return step();
      } catch (error) {
        damage = messageOf(error);
        return undefined;
      }
    };
    parse(() => reader.append(block.subarray(0, count)));
    for (let item = parse(() => reader.nextRecord()); item !== undefined; item = parse(() => reader.nextRecord())) {
      anything = true;
      if (item.type === 'Metadata' && item.name === logMetadata) yield { kind: 'metadata', metadata: item.metadata };
      else if (item.type === 'Channel' && item.topic === transitionTopic) channels.add(item.id);
      else if (item.type === 'Chunk') {
        chunks++;
        yield { kind: 'chunk' };
      } else if (item.type === 'Message' && channels.has(item.channelId)) {
        const { data } = item;
        const record = parse(() => decodeTransition(data));
        if (record === undefined) break;
        records++;
        yield { kind: 'record', record };
      }
    }
  }
  if (!anything)
    throw new KitError(
      'E_LOG_FORMAT',
      `${path} is not an MCAP log: ${damage || `its ${bytes} bytes hold no whole record`}`,
      'name a file that `kit run` wrote',
      'usage',
    );
  return { bytes, records, chunks, complete: reader.done(), lostBytes: reader.bytesRemaining() + bytes - fed, damage };
}
