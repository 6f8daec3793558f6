/** Any frame that may stand on the wire, for property tests. */
import fc from 'fast-check';
import { type Frame, maxPayloadBytes } from '../../src/kitlink/frame.js';

const u8 = fc.integer({ min: 0, max: 255 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });

export const anyFrame: fc.Arbitrary<Frame> = fc.record({
  version: u8,
  type: u8,
  session: u32,
  sequence: u32,
  timeUs: u32,
  payload: fc.uint8Array({ maxLength: maxPayloadBytes }),
});
