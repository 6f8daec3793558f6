import { Random } from '@sim2servo/models/random';
import fc from 'fast-check';
import t from 'tap';
import { encodeFrame, type Frame, maxFrameBytes } from '../../src/kitlink/frame.js';
import { FrameReader } from '../../src/kitlink/frame-reader.js';
import { anyFrame } from '../support/any-frame.js';
import { pieces } from '../support/pieces.js';
import { bytesOf, frameVectors, hexOf } from '../support/vectors.js';

const describe = (frame: Frame): string =>
  [frame.version, frame.type, frame.session, frame.sequence, frame.timeUs, hexOf(frame.payload)].join(' ');

/** A reader that keeps what it got, as the payloads don't outlive the call. */
function reader(): { readonly reader: FrameReader; readonly got: string[] } {
  const got: string[] = [];
  return { reader: new FrameReader(frame => got.push(describe(frame))), got };
}

t.test('it reads the frames of the vectors', async t => {
  for (const { name, wire, frame } of frameVectors.vectors) {
    const { reader: it, got } = reader();
    it.push(bytesOf(wire));
    t.same(got, [describe({ ...frame, payload: bytesOf(frame.payload) })], name);
  }
});

t.test('frames arrive whole and in order however the stream is cut', async () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const { reader: it, got } = reader();
      const wire = Uint8Array.from(frames.flatMap(frame => [...encodeFrame(frame)]));
      for (const piece of pieces(wire, cuts)) it.push(piece);
      return JSON.stringify(got) === JSON.stringify(frames.map(describe)) && it.badFormat + it.badChecksum === 0;
    }),
  );
});

t.test('after any bytes at all a delimiter makes the next good frame heard', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      anyFrame,
      fc.array(fc.nat(), { maxLength: 5 }),
      (soup, frame, cuts) => {
        const { reader: it, got } = reader();
        for (const piece of pieces(Uint8Array.of(...soup, 0, ...encodeFrame(frame)), cuts)) it.push(piece);
        return got.at(-1) === describe(frame);
      },
    ),
    { numRuns: 500 },
  );
});

t.test('a changed byte costs the frame it hit and at most the next one, never more', async () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { minLength: 3, maxLength: 6 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (frames, at, flip) => {
        const { reader: it, got } = reader();
        const wire = Uint8Array.from(frames.flatMap(frame => [...encodeFrame(frame)]));
        wire[at % wire.length]! ^= flip;
        it.push(wire);
        it.push(encodeFrame(frames[0]!)); /* a spoilt last delimiter swallows this one */
        const lost = frames.length + 1 - got.length;
        return lost <= 2 && got.every(one => frames.map(describe).includes(one));
      },
    ),
  );
});

t.test('a million bytes of soup: nothing is thrown, nothing is made up, and frames between are found', async t => {
  const random = new Random(20260);
  const { reader: it, got } = reader();
  const frame: Frame = { version: 1, type: 0x84, session: 1, sequence: 2, timeUs: 3, payload: Uint8Array.of(0, 9, 0) };
  const sent = encodeFrame(frame);
  let bytes = 0;
  let frames = 0;
  while (bytes < 1_000_000) {
    const soup = new Uint8Array(random.integer(1 + random.integer(5000)));
    for (let i = 0; i < soup.length; i++) soup[i] = random.integer(256);
    it.push(soup);
    it.push(Uint8Array.of(0));
    for (const byte of sent) it.push(Uint8Array.of(byte));
    bytes += soup.length + 1 + sent.length;
    frames++;
  }
  t.equal(got.length, frames, `${frames} frames among ${bytes} bytes`);
  t.same([...new Set(got)], [describe(frame)]);
  t.ok(it.badFormat + it.badChecksum > frames, 'what was no frame was counted');
});

t.test('a stream that never delimits holds no more than one frame', async t => {
  const { reader: it, got } = reader();
  const heap = process.memoryUsage().arrayBuffers;
  const chunk = new Uint8Array(65_536).fill(0x55);
  for (let i = 0; i < 64; i++) it.push(chunk);
  t.ok(process.memoryUsage().arrayBuffers - heap < 1 << 20, 'no buffer grew');
  it.push(Uint8Array.of(0));
  t.equal(it.badFormat, 1);
  it.push(encodeFrame({ version: 1, type: 1, session: 0, sequence: 0, timeUs: 0, payload: new Uint8Array(0) }));
  t.equal(got.length, 1);
});

t.test('a frame longer than the longest is counted as bad', async t => {
  const { reader: it, got } = reader();
  it.push(new Uint8Array(maxFrameBytes + 40).fill(200));
  it.push(Uint8Array.of(0));
  t.same([got.length, it.badFormat, it.badChecksum], [0, 1, 0]);
});

t.test('a frame whose CRC is wrong is counted apart from what is no frame', async t => {
  const { reader: it, got } = reader();
  const wire = encodeFrame({ version: 1, type: 1, session: 5, sequence: 0, timeUs: 0, payload: new Uint8Array(0) });
  wire[4]! ^= 2;
  it.push(wire);
  t.same([got.length, it.badFormat, it.badChecksum], [0, 0, 1]);
});
