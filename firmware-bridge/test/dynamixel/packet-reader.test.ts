import { Random } from '@sim2servo/models/random';
import fc from 'fast-check';
import t from 'tap';
import { encodePacket, instructions, lastId, maxPacketBytes, type Packet } from '../../src/dynamixel/packet.js';
import { PacketReader } from '../../src/dynamixel/packet-reader.js';
import { pieces } from '../support/pieces.js';
import { bytesOf, dynamixelVectors, hexOf } from '../support/vectors.js';

const describe = ({ id, instruction, parameters }: Packet): string => [id, instruction, hexOf(parameters)].join(' ');
const encode = ({ id, instruction, parameters }: Packet): Uint8Array => encodePacket(id, instruction, parameters);

/** A reader that keeps what it got, as the parameters don't outlive the call. */
function reader(): { readonly reader: PacketReader; readonly got: string[] } {
  const got: string[] = [];
  return { reader: new PacketReader(packet => got.push(describe(packet))), got };
}

/** Bytes among which headers are likely. */
const tempting = fc.oneof(fc.constantFrom(0xff, 0xff, 0xfd, 0x00), fc.integer({ min: 0, max: 255 }));
const anyPacket = fc.record({
  id: fc.integer({ min: 0, max: lastId }),
  instruction: fc.constantFrom(...Object.values(instructions)),
  parameters: fc.array(tempting, { maxLength: 60 }).map(bytes => Uint8Array.from(bytes)),
});

t.test('it reads the packets of the vectors', async t => {
  for (const { name, wire, id, instruction, parameters } of dynamixelVectors.vectors) {
    const { reader: it, got } = reader();
    it.push(bytesOf(wire));
    t.same(got, [describe({ id, instruction: instructions[instruction], parameters: bytesOf(parameters) })], name);
  }
});

t.test('it refuses what the manual prints with a wrong CRC, and finds the next packet', async t => {
  const { printedWire } = dynamixelVectors.vectors.find(vector => vector.printedWire !== undefined)!;
  const { reader: it, got } = reader();
  it.push(bytesOf(printedWire!));
  it.push(encodePacket(1, instructions.ping));
  t.same([got.length, it.strays], [1, 1]);
});

t.test('packets arrive whole and in order however the stream is cut', async () => {
  fc.assert(
    fc.property(fc.array(anyPacket, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (packets, cuts) => {
      const { reader: it, got } = reader();
      const wire = Uint8Array.from(packets.flatMap(packet => [...encode(packet)]));
      for (const piece of pieces(wire, cuts)) it.push(piece);
      return JSON.stringify(got) === JSON.stringify(packets.map(describe)) && it.strays === 0;
    }),
  );
});

t.test('after any bytes at all a reset makes the next good packet heard', async () => {
  fc.assert(
    fc.property(fc.array(tempting, { maxLength: 400 }), anyPacket, (soup, packet) => {
      const { reader: it, got } = reader();
      it.push(Uint8Array.from(soup));
      it.reset();
      it.push(encode(packet));
      return got.at(-1) === describe(packet);
    }),
    { numRuns: 500 },
  );
});

t.test('after any bytes at all, without a reset, a good packet is heard once enough has followed', async () => {
  fc.assert(
    fc.property(
      fc.array(tempting, { maxLength: 400 }),
      anyPacket,
      fc.array(fc.nat(), { maxLength: 5 }),
      (soup, packet, cuts) => {
        const { reader: it, got } = reader();
        const after = new Uint8Array(maxPacketBytes);
        for (const piece of pieces(Uint8Array.of(...soup, ...encode(packet), ...after), cuts)) it.push(piece);
        return got.includes(describe(packet));
      },
    ),
    { numRuns: 500 },
  );
});

t.test('a changed byte costs the packet that it hit, and nothing is made up', async () => {
  fc.assert(
    fc.property(
      fc.array(anyPacket, { minLength: 3, maxLength: 6 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (packets, at, flip) => {
        const { reader: it, got } = reader();
        const wire = Uint8Array.from(packets.flatMap(packet => [...encode(packet)]));
        wire[at % wire.length]! ^= flip;
        it.push(wire);
        it.push(new Uint8Array(maxPacketBytes)); /* a spoilt length waits for that much */
        return got.length >= packets.length - 1 && got.every(one => packets.map(describe).includes(one));
      },
    ),
  );
});

t.test('a million bytes of soup: nothing is thrown, nothing is made up, and packets between are found', async t => {
  const random = new Random(20260);
  const { reader: it, got } = reader();
  const packet = { id: 7, instruction: instructions.status, parameters: Uint8Array.of(0, 0xff, 0xff, 0xfd, 0) };
  const sent = encode(packet);
  let bytes = 0;
  let packets = 0;
  while (bytes < 1_000_000) {
    const soup = new Uint8Array(1 + random.integer(1 + random.integer(5000)));
    for (let i = 0; i < soup.length; i++) soup[i] = random.integer(256);
    it.push(soup);
    it.reset();
    for (const byte of sent) it.push(Uint8Array.of(byte));
    bytes += soup.length + sent.length;
    packets++;
  }
  t.equal(got.length, packets, `${packets} packets among ${bytes} bytes`);
  t.same([...new Set(got)], [describe(packet)]);
  t.ok(it.strays >= packets, 'what was no packet was counted');
});

t.test('a run of garbage counts once', async t => {
  const { reader: it } = reader();
  it.push(Uint8Array.of(1, 2, 3, 4, 5));
  it.push(encodePacket(1, instructions.ping));
  it.push(Uint8Array.of(0xff, 0xff, 0xff));
  it.push(encodePacket(1, instructions.ping));
  t.equal(it.strays, 2);
});

t.test('a length that no packet has is no beginning of one', async t => {
  const { reader: it, got } = reader();
  it.push(Uint8Array.of(0xff, 0xff, 0xfd, 0x00, 1, 2, 0));
  it.push(Uint8Array.of(0xff, 0xff, 0xfd, 0x00, 1, 0xff, 0xff));
  it.push(encodePacket(1, instructions.ping));
  t.equal(got.length, 1);
});

t.test('the longest packet is read', async t => {
  const { reader: it, got } = reader();
  it.push(encodePacket(1, instructions.write, new Uint8Array(maxPacketBytes - 10).fill(0x55)));
  t.equal(got.length, 1);
});
