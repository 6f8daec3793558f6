/** The end of an MCAP file: data end, summary with the chunk index, footer. Layout: https://mcap.dev/spec#summary-section */

import { MCAP_MAGIC, McapRecordBuilder, type McapTypes, Opcode } from '@mcap/core';
import { crc32 } from '@sim2servo/firmware-bridge/kitlink/crc32';

export interface LogSummary {
  readonly schema: McapTypes.Schema;
  readonly channel: McapTypes.Channel;
  readonly chunkIndexes: readonly McapTypes.ChunkIndex[];
  readonly metadataIndexes: readonly McapTypes.MetadataIndex[];
  readonly records: number;
  readonly startTime: bigint;
  readonly endTime: bigint;
  readonly dataCrc: number;
}

/** @param position where in the file these bytes will stand */
export function summaryBytes(position: number, summary: LogSummary): Uint8Array {
  const builder = new McapRecordBuilder();
  const here = () => BigInt(position + builder.length);
  builder.writeDataEnd({ dataSectionCrc: summary.dataCrc });
  const summaryStart = here();
  const groups: McapTypes.SummaryOffset[] = [];
  const group = (groupOpcode: Opcode, write: () => void) => {
    const groupStart = here();
    write();
    const groupLength = here() - groupStart;
    if (groupLength > 0n) groups.push({ groupOpcode, groupStart, groupLength });
  };
  const count = BigInt(summary.records);
  group(Opcode.SCHEMA, () => builder.writeSchema(summary.schema));
  group(Opcode.CHANNEL, () => builder.writeChannel(summary.channel));
  group(Opcode.STATISTICS, () =>
    builder.writeStatistics({
      messageCount: count,
      schemaCount: 1,
      channelCount: 1,
      attachmentCount: 0,
      metadataCount: summary.metadataIndexes.length,
      chunkCount: summary.chunkIndexes.length,
      messageStartTime: summary.startTime,
      messageEndTime: summary.endTime,
      channelMessageCounts: new Map([[summary.channel.id, count]]),
    }),
  );
  group(Opcode.METADATA_INDEX, () => {
    for (const index of summary.metadataIndexes) builder.writeMetadataIndex(index);
  });
  group(Opcode.CHUNK_INDEX, () => {
    for (const index of summary.chunkIndexes) builder.writeChunkIndex(index);
  });
  const summaryOffsetStart = here();
  for (const offset of groups) builder.writeSummaryOffset(offset);
  builder.writeFooter({ summaryStart, summaryOffsetStart, summaryCrc: 0 });

  // The CRC covers everything from the summary's start up to its own four bytes.
  const bytes = new Uint8Array(builder.length + MCAP_MAGIC.length);
  bytes.set(builder.buffer);
  bytes.set(MCAP_MAGIC, builder.length);
  const crcAt = builder.length - 4;
  const crc = crc32(bytes.subarray(Number(summaryStart) - position, crcAt));
  new DataView(bytes.buffer).setUint32(crcAt, crc, true);
  return bytes;
}
