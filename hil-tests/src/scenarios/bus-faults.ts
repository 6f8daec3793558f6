/**
 * What can go wrong on a servo bus, each done to the real link and loop in mid-motion: on any wire, and with an STS3215. The tests assert on
 * the outcomes.
 */
import type { Answer } from '../rig/bus/bus-servo.js';
import type { Sts3215 } from '../rig/bus/sts3215.js';
import type { BusFault } from './bus-fault-bench.js';

/** Replies are spoilt this often where not all are. */
const seldom = 7;

/** Spoils what the servos say, every n-th reply. */
export function spoil(
  name: string,
  expected: BusFault['expected'],
  every: number,
  hand: (answer: Answer) => Answer | undefined,
  reason?: RegExp,
): BusFault {
  return {
    name,
    expected,
    ...(reason && { reason }),
    begin({ bus: { wire } }) {
      let count = 0;
      wire.tamper = answer => (++count % every === 0 ? hand(answer) : answer);
    },
    clear({ bus: { wire } }) {
      wire.tamper = answer => answer;
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
/** Another id, with a sum that is right for it. */
const wrongId = bytes(all => [...all.subarray(0, 2), all[2]! + 8, ...all.subarray(3, -1), (all.at(-1)! - 8) & 0xff]);
/** What is heard of two servos of one id that stand elsewhere: the AND of both. */
const twin = bytes(all => all.map((byte, i) => (i < 5 ? byte : byte & (byte ^ 0xa6))));
const silent = () => undefined;
export const stale = /no fresh position for 5 ticks/;

/** What a servo complains of. Where its own protection takes its torque away, it is limp from then on. */
function strained(
  name: string,
  servo: number,
  strain: Partial<Sts3215['strain']>,
  reason: RegExp,
  protects: boolean,
): BusFault<Sts3215> {
  const healthy: Partial<Sts3215['strain']> = {};
  return {
    name,
    expected: 'stops',
    reason,
    ...(protects && { limp: servo }),
    begin({ bus }) {
      Object.assign(healthy, bus.servos[servo]!.strain);
      Object.assign(bus.servos[servo]!.strain, strain);
    },
    clear({ bus }) {
      Object.assign(bus.servos[servo]!.strain, healthy);
    },
  };
}

/** Of any protocol. */
export const wireFaults: readonly BusFault[] = [
  spoil('a late reply now and again', 'rides out', seldom, late(15_000)),
  spoil('every reply late', 'stops', 1, late(15_000), stale),
  spoil('no reply now and again', 'rides out', seldom, silent),
  spoil('no reply any more', 'stops', 1, silent, stale),
  spoil('part of a reply now and again', 'rides out', seldom, cut),
  spoil('part of each reply', 'stops', 1, cut, stale),
  spoil('a byte lost now and again', 'rides out', seldom, dropped),
  spoil('a byte too many now and again', 'rides out', seldom, inserted),
  spoil('a bit flipped now and again', 'rides out', seldom, changed(6, 0x10)),
  spoil('a bit flipped in each reply', 'stops', 1, changed(6, 0x10), stale),
  spoil('wrong sums', 'stops', 1, wrongSum, stale),
  spoil('garbage before the replies', 'rides out', 1, garbage),
  {
    name: 'an adapter that hears itself',
    expected: 'rides out',
    begin: ({ bus }) => {
      bus.wire.echo = true;
    },
    clear: ({ bus }) => {
      bus.wire.echo = false;
    },
  },
  {
    name: 'bits flipped on the way to the servos, every ninth packet',
    expected: 'rides out',
    begin(bench) {
      let count = 0;
      bench.toServos = sent => (++count % 9 === 0 ? sent.map((byte, i) => (i === 5 ? byte ^ 4 : byte)) : sent);
    },
    clear(bench) {
      bench.toServos = sent => sent;
    },
  },
  spoil('a second servo of each id', 'stops', 1, twin, stale),
  {
    name: 'the cable is pulled, and plugged in again',
    expected: 'stops',
    reason: /port has gone/,
    begin: ({ clock }) => clock.unplug(),
    clear: ({ clock }) => void clock.open(),
  },
];

export const sts3215Faults: readonly BusFault<Sts3215>[] = [
  spoil('replies with the id of another servo', 'stops', 1, wrongId, stale),
  {
    name: 'a servo is reset for 5 ms',
    expected: 'stops',
    reason: /servo 1 of joint 'shoulder' has lost its torque/,
    limp: 0,
    begin: ({ bus }) => bus.servos[0]!.restart(0.005),
    clear: () => {},
  },
  {
    name: 'a servo is reset for 200 ms',
    expected: 'stops',
    reason: stale,
    limp: 0,
    begin: ({ bus }) => bus.servos[0]!.restart(0.2),
    clear: () => {},
  },
  strained('the supply is too low', 1, { voltage: 30 }, /supply voltage is out of its limits/, false),
  strained('a servo is too hot', 1, { temperature: 80 }, /servo 2 of joint 'elbow': it is too hot/, true),
  strained('a servo is overloaded', 0, { overload: true }, /it is overloaded/, true),
  strained("a servo's current is too high", 0, { current: 600 }, /its current is too high/, true),
  strained("a servo's position sensor fails", 0, { sensor: true }, /its position sensor fails/, false),
];
