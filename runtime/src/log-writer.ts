/**
 * Writes a log: MCAP (https://mcap.dev/spec) with uncompressed chunks that are closed when the caller says so.
 *
 * `McapWriter` of @mcap/core closes a chunk by size only, and what is in an open chunk is lost with the process; a log must close one
 * every second. So this joins that package's record and chunk builders itself. Schema and channel stand before the first chunk, so
 * that any prefix with whole chunks can be read.
 */

import { McapChunkBuilder, McapRecordBuilder, type McapTypes } from '@mcap/core';
import { crc32 } from '@sim2servo/firmware-bridge/kitlink/crc32';
import {
  encodeTransition,
  type TransitionRecord,
  transitionSchema,
  transitionTopic,
} from '@sim2servo/models/transition';
import type { LogFile } from './log-file.js';
import { summaryBytes } from './log-summary.js';

/** What is the same for all records of a log. */
export interface LogHeader {
  readonly robot: string;
  readonly specSha256: string;
  /** Empty where no policy drove. */
  readonly policyDigest: string;
  readonly task: string;
  readonly controlRateHz: number;
  /** Who or what drove where no policy did: leader, keyboard, gamepad, replay of a log. */
  readonly drivenBy?: string;
}

/** Name of the metadata record that holds the {@link LogHeader}. */
export const logMetadata = 'sim2servo';

const schema: McapTypes.Schema = {
  id: 1,
  name: transitionSchema.name,
  encoding: transitionSchema.encoding,
  data: transitionSchema.data,
};
const channel: McapTypes.Channel = {
  id: 1,
  schemaId: schema.id,
  topic: transitionTopic,
  messageEncoding: transitionSchema.encoding,
  metadata: new Map(),
};

export class LogWriter {
  readonly #file: LogFile;
  readonly #builder = new McapRecordBuilder();
  readonly #chunk = new McapChunkBuilder({ useMessageIndex: true });
  readonly #chunkIndexes: McapTypes.ChunkIndex[] = [];
  readonly #metadataIndexes: McapTypes.MetadataIndex[] = [];
  #position = 0;
  #records = 0;
  #startTime = 0n;
  #endTime = 0n;
  #dataCrc = 0;

  constructor(file: LogFile, metadata: ReadonlyMap<string, string>) {
    this.#file = file;
    this.#builder.writeMagic();
    this.#builder.writeHeader({ profile: '', library: 'sim2servo' });
    const offset = BigInt(this.#builder.length);
    const length = this.#builder.writeMetadata({ name: logMetadata, metadata: new Map(metadata) });
    this.#metadataIndexes.push({ name: logMetadata, offset, length });
    this.#builder.writeSchema(schema);
    this.#builder.writeChannel(channel);
    this.#flush();
    file.sync();
  }

  /** Records taken in, those of the open chunk included. */
  get records(): number {
    return this.#records;
  }

  get chunks(): number {
    return this.#chunkIndexes.length;
  }

  /** Bytes that stand whole in the file. */
  get bytes(): number {
    return this.#position;
  }

  get openRecords(): number {
    return this.#chunk.numMessages;
  }

  add(record: TransitionRecord): void {
    const logTime = BigInt(Math.round(record.timeS * 1e6)) * 1000n;
    if (this.#records === 0 || logTime < this.#startTime) this.#startTime = logTime;
    if (this.#records === 0 || logTime > this.#endTime) this.#endTime = logTime;
    this.#chunk.addMessage({
      channelId: channel.id,
      sequence: this.#records,
      logTime,
      publishTime: logTime,
      data: encodeTransition(record),
    });
    this.#records++;
  }

  /** Closes the open chunk and brings it to the disk. What was closed survives the process. */
  closeChunk(): void {
    const chunk = this.#chunk;
    if (chunk.numMessages === 0) return;
    const records = chunk.buffer;
    const chunkStartOffset = BigInt(this.#position);
    const chunkLength = this.#builder.writeChunk({
      messageStartTime: chunk.messageStartTime,
      messageEndTime: chunk.messageEndTime,
      uncompressedSize: BigInt(records.length),
      uncompressedCrc: crc32(records),
      compression: '',
      records,
    });
    const messageIndexOffsets = new Map<number, bigint>();
    let messageIndexLength = 0n;
    for (const index of chunk.indices) {
      messageIndexOffsets.set(index.channelId, chunkStartOffset + chunkLength + messageIndexLength);
      messageIndexLength += this.#builder.writeMessageIndex(index);
    }
    this.#flush();
    this.#file.sync();
    this.#chunkIndexes.push({
      messageStartTime: chunk.messageStartTime,
      messageEndTime: chunk.messageEndTime,
      chunkStartOffset,
      chunkLength,
      messageIndexOffsets,
      messageIndexLength,
      compression: '',
      compressedSize: BigInt(records.length),
      uncompressedSize: BigInt(records.length),
    });
    chunk.reset();
  }

  /** Closes the chunk and writes the index. The file is complete then. */
  finish(): void {
    this.closeChunk();
    const summary = summaryBytes(this.#position, {
      schema,
      channel,
      chunkIndexes: this.#chunkIndexes,
      metadataIndexes: this.#metadataIndexes,
      records: this.#records,
      startTime: this.#startTime,
      endTime: this.#endTime,
      dataCrc: this.#dataCrc,
    });
    this.#file.append(summary);
    this.#file.sync();
    this.#file.close();
  }

  /** After a failed write: back to the last whole chunk, without an index. */
  abandon(): void {
    this.#file.truncate(this.#position);
    this.#file.close();
  }

  #flush(): void {
    const bytes = this.#builder.buffer;
    this.#file.append(bytes);
    this.#position += bytes.length;
    this.#dataCrc = crc32(bytes, this.#dataCrc);
    this.#builder.reset();
  }
}
