/** What can go wrong on the wire of a servo bus, whatever its protocol. */
import type { Answer } from '../rig/bus/bus-servo.js';
import type { AnyServo } from '../rig/bus/create-bus.js';
import type { Fault, FaultRow } from './fault.js';
import type { ServoBusUnderTest } from './servo-bus-under-test.js';

/** Where not all replies are spoilt, one is in this time: of seven cycles, whatever a cycle asks. */
const seldomUs = 70_000;
export const always = 0;

export const stale = /no fresh position for 5 ticks/;

/** Spoils what the servos say: once in `everyUs`, or always. */
export function spoil(
  row: FaultRow,
  name: string,
  expected: Fault['expected'],
  everyUs: number,
  hand: (answer: Answer) => Answer | undefined,
): Fault<ServoBusUnderTest<AnyServo>> {
  return {
    row,
    name,
    expected,
    ...(expected === 'stops' && { reason: stale }),
    begin({ arm }) {
      let dueUs = 0;
      const { servoBus } = arm;
      servoBus.wire.tamper = answer => {
        if (servoBus.nowUs < dueUs) return answer;
        dueUs = servoBus.nowUs + everyUs;
        return hand(answer);
      };
    },
    clear({ arm }) {
      arm.servoBus.wire.tamper = answer => answer;
    },
  };
}

/** The same answer with other bytes. */
export function bytes(change: (bytes: Uint8Array) => readonly number[] | Uint8Array): (answer: Answer) => Answer {
  return answer => ({ ...answer, bytes: before => Uint8Array.from(change(answer.bytes(before))) });
}

const late = (us: number) => (answer: Answer) => ({ ...answer, delayUs: answer.delayUs + us });
const changed = (at: number, mask: number) => bytes(all => all.map((byte, i) => (i === at ? byte ^ mask : byte)));
const cut = bytes(all => all.subarray(0, 5));
const dropped = bytes(all => [...all.subarray(0, 3), ...all.subarray(4)]);
const inserted = bytes(all => [...all.subarray(0, 4), 0x5a, ...all.subarray(4)]);
const noise = bytes(all => [0xff, 0xff, 0x03, 0xf0, 0x00, 0xff, ...all]);
/** Between the parts of one packet it would spoil that. */
const garbage = (answer: Answer) => (answer.turn === 0 ? noise(answer) : answer);
const wrongSum = bytes(all => [...all.subarray(0, -1), all.at(-1)! ^ 1]);
/** What is heard of two servos of one id that stand elsewhere: the AND of both. */
const twin = bytes(all => all.map((byte, i) => (i < 5 ? byte : byte & (byte ^ 0xa6))));
const silent = () => undefined;

/** On any bus with a cable. */
export const unplugged: Fault = {
  row: 'port unplugged and back',
  name: 'the cable is pulled, and plugged in again',
  expected: 'stops',
  reason: /port has gone/,
  begin: ({ arm }) => arm.unplug(),
  clear: ({ arm }) => arm.replug(),
};

/** Of any protocol. */
export const wireFaults: readonly Fault<ServoBusUnderTest<AnyServo>>[] = [
  spoil('late reply', 'a late reply now and again', 'rides out', seldomUs, late(15_000)),
  spoil('late reply', 'every reply late by 40 ms', 'stops', always, late(40_000)),
  spoil('no reply', 'no reply now and again', 'rides out', seldomUs, silent),
  spoil('no reply', 'no reply any more', 'stops', always, silent),
  spoil('partial frame', 'part of a reply now and again', 'rides out', seldomUs, cut),
  spoil('partial frame', 'part of each reply', 'stops', always, cut),
  spoil('byte dropped', 'a byte lost now and again', 'rides out', seldomUs, dropped),
  spoil('byte inserted', 'a byte too many now and again', 'rides out', seldomUs, inserted),
  spoil('bit flipped', 'a bit flipped now and again', 'rides out', seldomUs, changed(6, 0x10)),
  spoil('bit flipped', 'a bit flipped in each reply', 'stops', always, changed(6, 0x10)),
  {
    row: 'bit flipped',
    name: 'bits flipped on the way to the servos, every ninth packet',
    expected: 'rides out',
    begin({ arm }) {
      let count = 0;
      arm.toServos = sent => (++count % 9 === 0 ? sent.map((byte, i) => (i === 5 ? byte ^ 4 : byte)) : sent);
    },
    clear({ arm }) {
      arm.toServos = sent => sent;
    },
  },
  {
    row: 'echo',
    name: 'an adapter that hears itself',
    expected: 'rides out',
    begin({ arm }) {
      arm.servoBus.wire.echo = true;
    },
    clear({ arm }) {
      arm.servoBus.wire.echo = false;
    },
  },
  spoil('duplicate id', 'a second servo of each id', 'stops', always, twin),
  spoil('wrong checksum', 'wrong sums', 'stops', always, wrongSum),
  spoil('garbage before header', 'garbage before the replies', 'rides out', 1, garbage),
  unplugged,
];
