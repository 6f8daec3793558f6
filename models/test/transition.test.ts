import fc from 'fast-check';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import t from 'tap';
import {
  decodeTransition,
  encodeTransition,
  type TransitionRecord,
  transitionFields,
  transitionSchema,
  transitionTopic,
} from '../src/transition.js';

const record: TransitionRecord = {
  timeS: 1_700_000_000.125,
  episode: 3,
  step: 41,
  observation: [0.5, -0.25, 0],
  actionRequested: [1, -1],
  actionExecuted: [0.5, -0.75],
  position: [0.1, 1.2],
  velocity: [-0.3, 0],
  target: [0.11, 1.19],
  goal: [0.15, -0.02, 0.06],
  limiters: 8 | 32,
  late: true,
  stale: false,
  terminated: false,
  truncated: true,
  policyDigest: 'ab'.repeat(32),
};

t.test('a transition comes back from its bytes as it was', async t => {
  t.same(decodeTransition(encodeTransition(record)), record);
});

t.test('typed arrays go in as they lie in the loop', async t => {
  const bytes = encodeTransition({
    ...record,
    observation: Float32Array.from(record.observation),
    actionExecuted: Float32Array.from(record.actionExecuted),
    position: Float64Array.from(record.position),
  });
  t.same(decodeTransition(bytes), record);
});

t.test('any record comes back: floats as floats, positions in full, empty lists as empty lists', async t => {
  const floats = fc.array(fc.float(), { maxLength: 12 });
  const doubles = fc.array(fc.double(), { maxLength: 4 });
  const uint32 = fc.nat(2 ** 32 - 1);
  const any = fc.record({
    timeS: fc.double({ noNaN: true }),
    episode: uint32,
    step: uint32,
    observation: floats,
    actionRequested: floats,
    actionExecuted: floats,
    position: doubles,
    velocity: doubles,
    target: doubles,
    goal: doubles,
    limiters: uint32,
    late: fc.boolean(),
    stale: fc.boolean(),
    terminated: fc.boolean(),
    truncated: fc.boolean(),
    policyDigest: fc.string(),
  });
  const same = (a: unknown, b: unknown): boolean =>
    Array.isArray(a) && Array.isArray(b)
      ? a.length === b.length && a.every((x, i) => Object.is(x, b[i]))
      : Object.is(a, b);
  fc.assert(
    fc.property(any, given => {
      const back = decodeTransition(encodeTransition(given));
      for (const key of Object.keys(given) as (keyof TransitionRecord)[])
        if (!same(given[key], back[key])) throw new Error(`${key}: ${given[key]} became ${back[key]}`);
    }),
  );
  t.pass();
});

t.test('the descriptor in a log is enough to read it, for a reader that knows nothing of this kit', async t => {
  const type = protobuf.Root.fromDescriptor(transitionSchema.data).lookupType(transitionSchema.name);
  const message = type.toObject(type.decode(encodeTransition(record)), { defaults: true, arrays: true });
  // A descriptor's own names are those of the .proto; protobufjs keeps or camel-cases them.
  const read = (camel: string, snake: string) => (message as Record<string, unknown>)[camel] ?? message[snake];
  t.equal(read('timeS', 'time_s'), record.timeS);
  t.same(read('actionExecuted', 'action_executed'), record.actionExecuted);
  t.same(read('goal', 'goal'), record.goal);
  t.equal(read('policyDigest', 'policy_digest'), record.policyDigest);
  t.equal(type.fieldsArray.length, Object.keys(record).length, 'every field is in it');
});

t.test('the descriptor is one proto3 file with the snake-case names that other languages expect', async t => {
  const { file } = descriptor.FileDescriptorSet.toObject(
    descriptor.FileDescriptorSet.decode(transitionSchema.data),
  ) as {
    file: {
      package: string;
      syntax: string;
      messageType: { name: string; field: { name: string; number: number }[] }[];
    }[];
  };
  t.equal(file.length, 1);
  t.equal(file[0]?.package, 'sim2servo');
  t.equal(file[0]?.syntax, 'proto3');
  const fields = file[0]?.messageType[0]?.field ?? [];
  t.same(
    fields.map(field => field.number),
    Array.from({ length: 16 }, (_, i) => i + 1),
  );
  t.equal(transitionSchema.encoding, 'protobuf');
  t.equal(transitionTopic, '/transition');
});

t.test('a field of a later version is passed over', async t => {
  const later = Buffer.concat([encodeTransition(record), Buffer.of(0xf8, 0x07, 1)]); // field 127, varint
  t.same(decodeTransition(later), record);
});

t.test('what an older version left out reads as zero, false and empty', async t => {
  const empty = decodeTransition(new Uint8Array());
  t.equal(empty.step, 0);
  t.equal(empty.truncated, false);
  t.same(empty.observation, []);
  t.equal(empty.policyDigest, '');
});

t.test('bytes that are cut off throw; bytes of any kind never do worse than throw', async t => {
  const bytes = encodeTransition(record);
  t.throws(() => decodeTransition(bytes.subarray(0, bytes.length - 3)));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), junk => {
      try {
        const read = decodeTransition(junk);
        return Array.isArray(read.observation) && typeof read.step === 'number';
      } catch (error) {
        return error instanceof Error;
      }
    }),
  );
});

t.test('the schema as data names what a record holds, in its order', async t => {
  t.same(
    transitionFields.map(({ name }) => name),
    Object.keys(record),
  );
  t.match(transitionFields.slice(0, 4), [
    { name: 'timeS', type: 'double', repeated: false },
    { name: 'episode', type: 'uint32', repeated: false },
    { name: 'step', type: 'uint32', repeated: false },
    { name: 'observation', type: 'float', repeated: true },
  ]);
});
