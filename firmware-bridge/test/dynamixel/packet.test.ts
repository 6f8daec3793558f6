import fc from 'fast-check';
import t from 'tap';
import { crc16 } from '../../src/dynamixel/crc16.js';
import {
  broadcastId,
  encodeFastPart,
  encodePacket,
  encodeStatus,
  type FastPart,
  fastPartBytes,
  instructions,
  littleEndian,
  maxPacketBytes,
  numberAt,
} from '../../src/dynamixel/packet.js';
import { bytesOf, dynamixelVectors, hexOf } from '../support/vectors.js';

const { vectors } = dynamixelVectors;
const isFast = ({ id, instruction }: { id: number; instruction: string }) =>
  id === broadcastId && instruction === 'status';

t.test('it writes the packets of the vectors byte for byte', async t => {
  for (const { name, wire, id, instruction, parameters } of vectors.filter(vector => !isFast(vector)))
    t.equal(hexOf(encodePacket(id, instructions[instruction], bytesOf(parameters))), wire, name);
});

t.test('where the manual prints a wrong CRC ours is the computed one', async t => {
  const misprints = vectors.filter(({ printedWire }) => printedWire !== undefined);
  t.ok(misprints.length > 0);
  for (const { name, wire, printedWire } of misprints) {
    const printed = bytesOf(printedWire!);
    t.equal(wire.slice(0, -4), printedWire!.slice(0, -4), name);
    t.not(crc16(printed.subarray(0, -2)), numberAt(printed, printed.length - 2, 2), `${name}: what is printed`);
  }
});

t.test('what each servo appends to the answer of a fast read is what the vectors have', async t => {
  const part = (id: number, ...data: number[]) => ({ error: 0, id, data });
  const wireOf = (name: RegExp) => vectors.filter(isFast).find(vector => name.test(vector.name))!.wire;
  const answer = (...parts: readonly FastPart[]): Uint8Array => {
    const dataBytes = parts.map(({ data }) => data.length);
    let before: Uint8Array = new Uint8Array(0);
    for (const one of parts) before = Buffer.concat([before, encodeFastPart(one, before, dataBytes)]);
    return before;
  };
  t.equal(hexOf(answer(part(3, 0xa6, 0, 0, 0), part(7, 0x1f, 8, 0, 0), part(4, 0xff, 3, 0, 0))), wireOf(/2079/));
  t.equal(hexOf(answer(part(3, 0xa6, 0, 0, 0), part(7, 0xa5, 1), part(4, 0x1f))), wireOf(/421/));
  t.equal(
    encodeFastPart(part(7, 1, 2), Uint8Array.of(1), [4, 2]).length,
    2 + fastPartBytes,
    'the length of a part that is not the first: its data and what is around it',
  );
});

t.test('a header never stands in a packet behind its own', async () => {
  const tempting = fc.array(fc.constantFrom(0xff, 0xfd, 0x00, 0x01), { maxLength: 60 });
  fc.assert(
    fc.property(tempting, parameters => {
      const wire = encodePacket(1, instructions.write, parameters);
      return !hexOf(wire.subarray(4, -2)).match(/^(?:..)*?fffffd(?!fd)/);
    }),
  );
});

t.test('a status packet is one whose first parameter is the error', async t => {
  t.same(encodeStatus(1, 0, [6, 4, 0x26]), encodePacket(1, instructions.status, [0, 6, 4, 0x26]));
});

t.test('numbers come back as they were, negative ones too', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      value => numberAt(Uint8Array.from(littleEndian(value, 4)), 0, 4, true) === value,
    ),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 65_535 }),
      value => numberAt(Uint8Array.from([9, ...littleEndian(value, 2)]), 1, 2) === value,
    ),
  );
});

t.test('a packet longer than the longest is refused in words', async t => {
  const most = maxPacketBytes - 10;
  t.equal(encodePacket(1, instructions.write, new Uint8Array(most)).length, maxPacketBytes);
  t.throws(() => encodePacket(1, instructions.write, new Uint8Array(most + 1)), {
    message: `a packet of ${maxPacketBytes + 1} bytes: at most ${maxPacketBytes} fit`,
  });
});
