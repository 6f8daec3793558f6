/**
 * TensorBoard event files: a sequence of records `u64 length, u32 masked crc of the length, bytes, u32 masked crc of the bytes`, each the
 * protobuf `tensorboard.Event` (tensorflow/core/util/event.proto): wall_time = 1 double, step = 2 int64, file_version = 3 string,
 * summary = 5 { value = 1 { tag = 1 string, simple_value = 2 float } }. Only scalars are written, so the fields are put down by hand.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import { maskedCrc32c } from './crc32c.js';

const wire = { varint: 0, double: 1, bytes: 2, float: 5 } as const;
const tag = (field: number, type: number) => (field << 3) | type;

/** One record around `event`. */
export function frameRecord(event: Uint8Array): Buffer {
  const record = Buffer.alloc(12 + event.length + 4);
  record.writeBigUInt64LE(BigInt(event.length), 0);
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(event, 12);
  record.writeUInt32LE(maskedCrc32c(event), 12 + event.length);
  return record;
}

/** The first event of every file. */
export function encodeVersionEvent(wallTimeS: number): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, wire.double)).double(wallTimeS);
  writer.uint32(tag(3, wire.bytes)).string('brain.Event:2');
  return writer.finish();
}

/** One event with a scalar for each entry. */
export function encodeScalarEvent(
  wallTimeS: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, wire.double)).double(wallTimeS);
  writer.uint32(tag(2, wire.varint)).int64(step);
  writer.uint32(tag(5, wire.bytes)).fork();
  for (const [name, value] of Object.entries(scalars)) {
    writer.uint32(tag(1, wire.bytes)).fork();
    writer.uint32(tag(1, wire.bytes)).string(name);
    writer.uint32(tag(2, wire.float)).float(value);
    writer.ldelim();
  }
  writer.ldelim();
  return writer.finish();
}

/** Appends scalars to a new event file in `folder`; TensorBoard joins the files of a resumed run by step. */
export class TensorBoardWriter {
  readonly path: string;
  readonly #file: number;

  constructor(folder: string, wallTimeS = Date.now() / 1000) {
    this.path = join(folder, `events.out.tfevents.${wallTimeS.toFixed(3)}.${hostname()}.${process.pid}`);
    this.#file = openSync(this.path, 'a');
    writeSync(this.#file, frameRecord(encodeVersionEvent(wallTimeS)));
  }

  write(step: number, scalars: Readonly<Record<string, number>>, wallTimeS = Date.now() / 1000): void {
    writeSync(this.#file, frameRecord(encodeScalarEvent(wallTimeS, step, scalars)));
  }

  close(): void {
    closeSync(this.#file);
  }
}
