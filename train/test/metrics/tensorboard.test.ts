import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import t from 'tap';
import { maskedCrc32c } from '../../src/metrics/crc32c.js';
import { encodeScalarEvent, TensorBoardWriter } from '../../src/metrics/tensorboard.js';

// The parts of tensorflow/core/util/event.proto and framework/summary.proto that are written, decoded by protobufjs: a second opinion.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; } }
  message Summary { message Value { string tag = 1; float simple_value = 2; } repeated Value value = 1; }
`);
const Event = root.lookupType('Event');
const decode = (bytes: Uint8Array) => Event.toObject(Event.decode(bytes), { longs: Number });

function records(file: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const body = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 8) !== maskedCrc32c(file.subarray(at, at + 8)))
      throw new Error(`length checksum at ${at}`);
    if (file.readUInt32LE(at + 12 + length) !== maskedCrc32c(body)) throw new Error(`body checksum at ${at}`);
    found.push(body);
    at += 12 + length + 4;
  }
  return found;
}

t.test('an event holds time, step and every scalar', t => {
  t.strictSame(decode(encodeScalarEvent(1700000000.25, 123456, { 'eval/mean_reward': 1.5, 'train/ent_coef': -0.25 })), {
    wallTime: 1700000000.25,
    step: 123456,
    summary: {
      value: [
        { tag: 'eval/mean_reward', simpleValue: 1.5 },
        { tag: 'train/ent_coef', simpleValue: -0.25 },
      ],
    },
  });
  t.end();
});

t.test('a file begins with its version and holds a record for each write', t => {
  const writer = new TensorBoardWriter(t.testdir({}), 1700000000);
  writer.write(1, { a: 1 }, 1700000001);
  writer.write(2 ** 33, { a: 2, b: 3 }, 1700000002);
  writer.close();
  t.match(writer.path, /events\.out\.tfevents\.1700000000/);
  const [version, first, second, ...more] = records(readFileSync(writer.path)).map(decode);
  t.match(version, { fileVersion: 'brain.Event:2' });
  t.match(first, { step: 1, summary: { value: [{ tag: 'a', simpleValue: 1 }] } });
  t.match(second, { step: 2 ** 33 });
  t.strictSame(more, []);
  t.end();
});

const python = process.env.KIT_PYTHON ?? 'python3';
const reads = (() => {
  try {
    execFileSync(python, ['-c', 'import tensorboard.backend.event_processing.event_accumulator'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

t.test("TensorBoard's own reader reads it, where it is installed", t => {
  if (!reads) {
    t.comment(`no TensorBoard for ${python}: the layout is checked above only`);
    t.end();
    return;
  }
  const folder = t.testdir({});
  const writer = new TensorBoardWriter(folder);
  writer.write(10, { 'rollout/ep_rew_mean': -3.5 });
  writer.write(20, { 'rollout/ep_rew_mean': -1.25 });
  writer.close();
  const script = `
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(${JSON.stringify(folder)}); a.Reload()
print([(e.step, e.value) for e in a.Scalars('rollout/ep_rew_mean')])`;
  t.equal(execFileSync(python, ['-c', script], { encoding: 'utf8' }).trim(), '[(10, -3.5), (20, -1.25)]');
  t.end();
});
