import { execFileSync, spawnSync } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { McapIndexedReader } from '@mcap/core';
import { decodeTransition } from '@sim2servo/models/transition';
import t from 'tap';
import { createLogFile } from '../src/log-file.js';
import { LogWriter } from '../src/log-writer.js';
import { header, metadata, sampleTick, writeSampleLog } from './support/sample-log.js';

const folder = t.testdir();

async function indexed(path: string) {
  const file = await open(path);
  t.teardown(() => file.close());
  return McapIndexedReader.Initialize({
    readable: {
      size: async () => BigInt((await file.stat()).size),
      read: async (offset, length) => {
        const buffer = new Uint8Array(Number(length));
        await file.read(buffer, 0, buffer.length, Number(offset));
        return buffer;
      },
    },
  });
}

t.test('the index lets a reader find everything, and its checksums hold', async t => {
  const path = join(folder, 'whole.mcap');
  writeSampleLog(path, 5, 7);
  const reader = await indexed(path);
  t.equal(reader.chunkIndexes.length, 5);
  t.equal(reader.statistics?.messageCount, 35n);
  t.equal(reader.statistics?.chunkCount, 5);
  let i = 0;
  for await (const message of reader.readMessages({ validateCrcs: true })) {
    const record = decodeTransition(message.data);
    const { timeS, ...rest } = sampleTick(i);
    t.equal(record.timeS, timeS);
    t.match(JSON.parse(JSON.stringify(record)), {
      ...Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, typeof v === 'object' ? Array.from(v) : v])),
      policyDigest: header.policyDigest,
    });
    i++;
  }
  t.equal(i, 35);
  for await (const record of reader.readMetadata())
    t.same(Object.fromEntries(record.metadata), Object.fromEntries(metadata));
  const late = reader.readMessages({ startTime: BigInt(Math.round(sampleTick(30).timeS * 1e6)) * 1000n });
  let found = 0;
  for await (const _ of late) found++;
  t.equal(found, 5, 'found by time');
});

t.test('what was closed stands in the file before it is finished', async t => {
  const path = join(folder, 'open.mcap');
  const writer = new LogWriter(createLogFile(path), metadata);
  const empty = (await readFile(path)).length;
  writer.add({ ...sampleTick(0), policyDigest: '' });
  t.equal((await readFile(path)).length, empty, 'an open chunk is in memory');
  t.equal(writer.openRecords, 1);
  writer.closeChunk();
  t.ok((await readFile(path)).length > empty);
  t.equal(writer.openRecords, 0);
  writer.closeChunk();
  t.equal(writer.chunks, 1, 'an empty chunk is not written');
  writer.finish();
});

t.test('an abandoned log ends with its last whole chunk', async t => {
  const path = join(folder, 'abandoned.mcap');
  const writer = new LogWriter(createLogFile(path), metadata);
  writer.add({ ...sampleTick(0), policyDigest: '' });
  writer.closeChunk();
  const whole = (await readFile(path)).length;
  t.equal(writer.bytes, whole);
  writer.add({ ...sampleTick(1), policyDigest: '' });
  writer.abandon();
  t.equal((await readFile(path)).length, whole);
});

t.test('a log without records is a whole file, too', async t => {
  const path = join(folder, 'empty.mcap');
  new LogWriter(createLogFile(path), metadata).finish();
  const reader = await indexed(path);
  t.equal(reader.statistics?.messageCount, 0n);
});

/** A Python with the packages mcap and mcap-protobuf-support, if there is one. */
const python = [process.env.KIT_PYTHON, 'python3'].find(
  candidate => candidate !== undefined && spawnSync(candidate, ['-c', 'import mcap, mcap_protobuf']).status === 0,
);
if (python === undefined)
  t.comment('no Python with mcap and mcap-protobuf-support: set KIT_PYTHON to check against it');
else
  t.test("Python's reader reads it", async t => {
    const path = join(folder, 'python.mcap');
    writeSampleLog(path, 3, 4);
    const script = `
import json, sys
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory
with open(sys.argv[1], 'rb') as f:
    reader = make_reader(f, decoder_factories=[DecoderFactory()], validate_crcs=True)
    rows = [[m.time_s, m.episode, m.step, list(m.observation), list(m.goal), m.limiters, m.late, m.policy_digest]
            for _, channel, _, m in reader.iter_decoded_messages(topics=['/transition'])]
    meta = [m.metadata for m in reader.iter_metadata()]
print(json.dumps({'rows': rows, 'meta': meta}))`;
    const { rows, meta } = JSON.parse(execFileSync(python, ['-c', script, path], { encoding: 'utf8' })) as {
      rows: unknown[];
      meta: unknown[];
    };
    t.same(
      rows,
      Array.from({ length: 12 }, (_, i) => {
        const tick = sampleTick(i);
        return [
          tick.timeS,
          tick.episode,
          tick.step,
          [...tick.observation],
          [...tick.goal],
          tick.limiters,
          tick.late,
          header.policyDigest,
        ];
      }),
    );
    t.same(meta, [Object.fromEntries(metadata)]);
  });
