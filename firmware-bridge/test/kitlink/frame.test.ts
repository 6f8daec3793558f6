import fc from 'fast-check';
import t from 'tap';
import {
  crcBytes,
  encodeFrame,
  type Frame,
  headerBytes,
  maxFrameBytes,
  maxPayloadBytes,
  packFrame,
  unpackFrame,
} from '../../src/kitlink/frame.js';
import { anyFrame } from '../support/any-frame.js';
import { bytesOf, frameVectors, hexOf } from '../support/vectors.js';

t.test('it writes the frames of the vectors byte for byte', async t => {
  for (const { name, wire, frame } of frameVectors.vectors)
    t.equal(hexOf(encodeFrame({ ...frame, payload: bytesOf(frame.payload) })), wire, name);
});

t.test('packing and unpacking are inverse', async () => {
  fc.assert(
    fc.property(anyFrame, frame => {
      const back = unpackFrame(packFrame(frame));
      if (typeof back === 'string') return false;
      const { payload, ...header } = back;
      const { payload: sent, ...expected } = frame;
      return hexOf(payload) === hexOf(sent) && JSON.stringify(header) === JSON.stringify(expected);
    }),
  );
});

t.test('a changed byte is a bad checksum, wherever it stands', async t => {
  const packed = packFrame({
    version: 1,
    type: 4,
    session: 7,
    sequence: 8,
    timeUs: 9,
    payload: Uint8Array.of(1, 2, 3),
  });
  for (let at = 0; at < packed.length; at++) {
    const spoilt = Uint8Array.from(packed);
    spoilt[at]! ^= 0x40;
    t.equal(unpackFrame(spoilt), 'badChecksum', `byte ${at}`);
  }
});

t.test('what is too short to hold header and CRC is no frame', async t => {
  for (let length = 0; length < headerBytes + crcBytes; length++)
    t.equal(unpackFrame(new Uint8Array(length)), 'badFormat', `${length} bytes`);
});

t.test('the longest payload makes the longest frame, and one byte more is refused in words', async t => {
  const frame: Frame = {
    version: 1,
    type: 1,
    session: 0,
    sequence: 0,
    timeUs: 0,
    payload: new Uint8Array(maxPayloadBytes),
  };
  t.equal(packFrame(frame).length, maxFrameBytes);
  t.throws(() => packFrame({ ...frame, payload: new Uint8Array(maxPayloadBytes + 1) }), {
    message: `a payload of ${maxPayloadBytes + 1} bytes: at most ${maxPayloadBytes} fit`,
  });
});
