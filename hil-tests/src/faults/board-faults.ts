/** What can go wrong between a host and the board with the firmware: on frames of kitlink, in both directions. */
import { encodeFrame, type Frame } from '@sim2servo/firmware-bridge/kitlink/frame';
import { FrameReader } from '@sim2servo/firmware-bridge/kitlink/frame-reader';
import { messageType } from '@sim2servo/firmware-bridge/kitlink/messages';
import type { BoardUnderTest, Heard } from './board-under-test.js';
import { type Fault, type FaultRow, nothingToClear } from './fault.js';
import { stale, unplugged } from './wire-faults.js';

type BoardFault = Fault<BoardUnderTest>;
/** Frames are spoilt this often where not all are. */
const seldom = 7;
/** Where the pulses begin in the payload of a motion, and how far a foreign one leads them away: 0.2 ms of pulse. */
const pulsesAt = 8;
const farTicks = 400;

/** Spoils what the board says, every n-th frame. */
function spoil(
  row: FaultRow,
  name: string,
  expected: Fault['expected'],
  every: number,
  hand: (frame: Uint8Array) => Heard | undefined,
  reason = stale,
): BoardFault {
  return {
    row,
    name,
    expected,
    ...(expected === 'stops' && { reason }),
    begin({ arm }) {
      let count = 0;
      arm.fromBoard = frame => (++count % every === 0 ? hand(frame) : { bytes: frame, delayUs: 0 });
    },
    clear({ arm }) {
      arm.fromBoard = bytes => ({ bytes, delayUs: 0 });
    },
  };
}

const bytes = (change: (frame: Uint8Array) => readonly number[]) => (frame: Uint8Array) => ({
  bytes: Uint8Array.from(change(frame)),
  delayUs: 0,
});
const late = (delayUs: number) => (frame: Uint8Array) => ({ bytes: frame, delayUs });
/** Never makes a delimiter of it. */
const flip = (byte: number) => (byte === 0x10 ? byte ^ 0x20 : byte ^ 0x10);
const flipped = (place: number) => bytes(all => [...all].map((byte, i) => (i === place ? flip(byte) : byte)));
/** The last byte is the delimiter, and the sum stands before it. */
const wrongSum = bytes(all => [...all].map((byte, i) => (i === all.length - 3 ? flip(byte) : byte)));
const cut = bytes(all => [...all.subarray(0, 9)]);
const dropped = bytes(all => [...all.subarray(0, 5), ...all.subarray(6)]);
const inserted = bytes(all => [...all.subarray(0, 5), 0x5a, ...all.subarray(5)]);
const garbage = bytes(all => [0x13, 0xff, 0x55, 0, ...all]);
const silent = () => undefined;

/** Beside each motion of the host goes one of somebody else, that would lead far away. */
function foreign(row: FaultRow, name: string, change: (frame: Frame) => Frame): BoardFault {
  return {
    row,
    name,
    expected: 'rides out',
    begin({ arm }) {
      arm.toBoard = sent => {
        const motions: Frame[] = [];
        const reader = new FrameReader(frame => {
          if (frame.type === messageType.motion) motions.push({ ...frame, payload: far(frame.payload) });
        });
        reader.push(sent);
        const others = motions.map(frame => encodeFrame(change(frame)));
        return Uint8Array.from([sent, ...others].flatMap(part => Array.from(part)));
      };
    },
    clear({ arm }) {
      arm.toBoard = sent => sent;
    },
  };
}

function far(payload: Uint8Array): Uint8Array {
  const copy = payload.slice();
  const view = new DataView(copy.buffer);
  for (let at = pulsesAt; at + 2 <= copy.length; at += 2)
    if (view.getUint16(at, true) > 0) view.setUint16(at, view.getUint16(at, true) + farTicks, true);
  return copy;
}

export const boardFaults: readonly BoardFault[] = [
  spoil('late reply', 'a sample late by 15 ms now and again', 'rides out', seldom, late(15_000)),
  spoil('late reply', 'every sample late by 150 ms', 'stops', 1, late(150_000), /./),
  spoil('no reply', 'no sample now and again', 'rides out', seldom, silent),
  spoil('no reply', 'no sample any more', 'stops', 1, silent),
  spoil('partial frame', 'part of a sample now and again', 'rides out', seldom, cut),
  spoil('partial frame', 'part of each sample', 'stops', 1, cut),
  spoil('byte dropped', 'a byte lost now and again', 'rides out', seldom, dropped),
  spoil('byte inserted', 'a byte too many now and again', 'rides out', seldom, inserted),
  spoil('bit flipped', 'a bit flipped now and again', 'rides out', seldom, flipped(6)),
  spoil('bit flipped', 'a bit flipped in each sample', 'stops', 1, flipped(6)),
  {
    row: 'bit flipped',
    name: 'a bit flipped in every byte to the board',
    expected: 'stops',
    reason: /no motion command came in time/,
    begin({ arm }) {
      arm.toBoard = sent => sent.map(byte => byte ^ 0x20);
    },
    clear({ arm }) {
      arm.toBoard = sent => sent;
    },
  },
  {
    row: 'echo',
    name: 'an adapter that hears itself',
    expected: 'rides out',
    begin({ arm }) {
      arm.toBoard = sent => {
        arm.say({ bytes: sent.slice(), delayUs: 0 });
        return sent;
      };
    },
    clear({ arm }) {
      arm.toBoard = sent => sent;
    },
  },
  spoil('wrong checksum', 'wrong sums', 'stops', 1, wrongSum),
  spoil('garbage before header', 'garbage before the samples', 'rides out', 1, garbage),
  unplugged,
  {
    row: 'servo rebooted',
    name: 'the board is reset: its servos get no pulses',
    expected: 'stops',
    reason: /no fresh position|limp by itself/,
    limp: 'all',
    begin: ({ arm }) => arm.device.reset(),
    clear: nothingToClear,
  },
  foreign('sequence replayed', 'each motion comes twice, the second one of somebody else', frame => frame),
  foreign('old session', 'motion of the session before beside that of this one', frame => ({
    ...frame,
    session: (frame.session - 1) >>> 0,
    sequence: frame.sequence + 1000,
  })),
];
