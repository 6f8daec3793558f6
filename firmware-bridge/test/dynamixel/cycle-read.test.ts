import fc from 'fast-check';
import t from 'tap';
import { CycleRead, type CycleServo, slotBytes } from '../../src/dynamixel/cycle-read.js';
import { statusOverheadBytes } from '../../src/dynamixel/dynamixel-bus.js';
import {
  broadcastId,
  decodePacket,
  encodeFastPart,
  encodeStatus,
  instructions,
  littleEndian,
  packetLength,
} from '../../src/dynamixel/packet.js';
import { type DynamixelModelName, dynamixelModels } from '../../src/dynamixel/registers.js';

const servo = (id: number, model: DynamixelModelName, firmware = 52): CycleServo => {
  return { id, model: dynamixelModels[model], firmware };
};
const mixed = [servo(1, 'xl430-w250'), servo(2, 'xl330-m288')];
const alike = [servo(4, 'xl330-m288'), servo(2, 'xl330-m077')];
const old = [servo(1, 'xl430-w250', 44), servo(2, 'xl330-m288')];
const oldAlike = [servo(4, 'xl330-m288', 45), servo(2, 'xl330-m077')];

/** Torque, no error, no watchdog, load −3, velocity −7, a position, 5.0 V, 31 degrees. */
const block = (position: number): number[] => [
  1,
  0,
  5,
  ...littleEndian(-3, 2),
  ...littleEndian(-7, 4),
  ...littleEndian(position, 4),
  ...littleEndian(50, 2),
  31,
];
const blockBytes = 16;

function fastAnswer(ids: readonly number[], positions: readonly number[]): Uint8Array {
  const dataBytes = ids.map(() => blockBytes);
  let before: Uint8Array = new Uint8Array(0);
  for (const [i, id] of ids.entries())
    before = Buffer.concat([before, encodeFastPart({ error: 0, id, data: block(positions[i]!) }, before, dataBytes)]);
  return Uint8Array.from(before);
}

t.test('servos of one layout are asked by a sync read, mixed ones by a bulk read, fast where all can', async t => {
  const asked = (servos: readonly CycleServo[]) => {
    const { request } = new CycleRead(servos);
    const { id, instruction, parameters } = decodePacket(request, 0, request.length, new Uint8Array(100));
    t.equal(id, broadcastId);
    return [instruction, [...parameters]];
  };
  t.same(asked(alike), [instructions.fastSyncRead, [208, 0, 16, 0, 4, 2]]);
  t.same(asked(oldAlike), [instructions.syncRead, [208, 0, 16, 0, 4, 2]]);
  t.same(asked(mixed), [instructions.fastBulkRead, [1, 224, 0, 16, 0, 2, 208, 0, 16, 0]]);
  t.same(asked(old), [instructions.bulkRead, [1, 224, 0, 16, 0, 2, 208, 0, 16, 0]]);
});

t.test('the slots stand for what is read, byte for byte, and there are enough of them', async t => {
  t.equal(slotBytes.length, 2 * blockBytes);
  t.same(slotBytes.slice(0, 6), [64, 0, 70, 0, 98, 0], 'torque, hardware error, watchdog');
  t.same(slotBytes.slice(18, 26), [132, 0, 133, 0, 134, 0, 135, 0], 'the position');
  for (const { indirect } of Object.values(dynamixelModels)) t.ok(indirect.slots >= blockBytes);
});

t.test('a fast answer gives all values, in one packet', async t => {
  const read = new CycleRead(mixed);
  t.equal(read.due, 1);
  const answer = fastAnswer([1, 2], [1000, -20]);
  t.equal(read.replyBytes, answer.length);
  read.begin();
  t.equal(read.take(answer, 0, answer.length - 1), 0, 'more must come');
  t.equal(read.take(answer, 0, answer.length), answer.length);
  t.same(read.silent(), []);
  t.same([read.value(0, 'presentPosition'), read.value(1, 'presentPosition')], [1000, -20]);
  t.same([read.value(1, 'presentLoad'), read.value(1, 'presentVelocity')], [-3, -7]);
  t.same([read.value(0, 'presentInputVoltage'), read.value(0, 'presentTemperature')], [50, 31]);
  t.same([read.value(0, 'torqueEnable'), read.value(0, 'busWatchdog')], [1, 5]);
});

t.test('a fast answer holds headers without stuffing', async t => {
  const read = new CycleRead(alike);
  const answer = fastAnswer([4, 2], [0x00fdffff, 7]);
  t.equal(read.take(answer, 0, answer.length), answer.length);
  t.equal(read.value(0, 'presentPosition'), 0x00fdffff);
});

t.test('what was spoilt before the last servo heard it shows by the CRC of its part', async t => {
  const first = encodeFastPart({ error: 0, id: 1, data: block(1) }, new Uint8Array(0), [blockBytes, blockBytes]);
  first[12]! ^= 1;
  const rest = encodeFastPart({ error: 0, id: 2, data: block(2) }, first, [blockBytes, blockBytes]);
  const answer = Uint8Array.of(...first, ...rest);
  t.equal(packetLength(answer, 0, answer.length), answer.length, 'the whole is a good packet');
  t.equal(new CycleRead(mixed).take(answer, 0, answer.length), -1);
});

t.test('single answers come in any order, each once, with stuffing', async t => {
  const read = new CycleRead(old);
  t.equal(read.due, 2);
  const second = encodeStatus(2, 0x80, block(0x00fdffff));
  t.equal(second.length, blockBytes + statusOverheadBytes + 1, 'one stuffed byte');
  t.equal(read.take(second, 0, second.length), second.length);
  t.equal(read.take(second, 0, second.length), -1, 'not twice');
  t.same(read.silent(), [0]);
  const first = encodeStatus(1, 0, block(3));
  t.equal(read.take(first, 0, first.length), first.length);
  t.same([read.value(0, 'presentPosition'), read.value(1, 'presentPosition')], [3, 0x00fdffff]);
  t.equal(read.replyBytes, 2 * (blockBytes + statusOverheadBytes));
  read.begin();
  t.same(read.silent(), [0, 1]);
});

t.test('what answers another question is not taken', async t => {
  const read = new CycleRead(old);
  const fast = new CycleRead(mixed);
  for (const [what, packet] of Object.entries({
    'a stranger': encodeStatus(9, 0, block(1)),
    'too short': encodeStatus(1, 0, block(1).slice(1)),
    'an error': encodeStatus(1, 7),
  }))
    for (const one of [read, fast]) t.equal(one.take(packet, 0, packet.length), -1, what);
  const others = fastAnswer([1, 3], [1, 2]);
  t.equal(fast.take(others, 0, others.length), -1, 'a fast answer of other servos');
  t.same(fast.silent(), [0, 1]);
});

t.test('whatever bytes come, nothing is thrown, and what is taken is within them', async () => {
  const answer = [...fastAnswer([1, 2], [1, 2]), ...encodeStatus(1, 0, block(5))];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...answer), fc.nat(255)), { maxLength: 120 }),
      fc.constantFrom(mixed, old, alike),
      (soup, servos) => {
        const bytes = Uint8Array.from([...soup, ...answer]);
        const read = new CycleRead(servos);
        for (let start = 0; start < bytes.length; start++) {
          const taken = read.take(bytes, start, bytes.length);
          if (taken < -1 || start + taken > bytes.length) return false;
        }
        return true;
      },
    ),
  );
});
