/**
 * How long the wire of a servo bus is busy with one control cycle, one read and one write of every servo, and which control rates that
 * leaves room for. Known before anything moves, so a rate that the bus can't keep is refused instead of being missed now and again.
 */
import { KitError } from './error.js';

/** 8N1: a start bit, eight of data, a stop bit. */
export const bitsPerByte = 10;
/** The rest of a period is for the adapter, the policy and the operating system. */
export const busShare = 0.8;

/** What one cycle puts on the wire. */
export interface BusCycle {
  readonly servos: number;
  readonly baudRate: number;
  /** The request and all replies. */
  readonly readBytes: number;
  readonly writeBytes: number;
  /** Time for which the servos let the line rest before they reply, all together. */
  readonly returnDelayUs: number;
  /** Registers that are read of one servo after the other, of one of them in each read: see {@link cycleAt} for the rest. */
  readonly inTurn?: InTurn;
}

export interface InTurn {
  /** So often one falls due, whatever the control rate. */
  readonly everyUs: number;
  /** What each beyond the first adds to a read. */
  readonly bytes: number;
  readonly returnDelayUs: number;
}

/** Time that bytes take on a wire. */
export function wireUs(bytes: number, baudRate: number): number {
  return (bytes * bitsPerByte * 1e6) / baudRate;
}

export function cycleUs({ readBytes, writeBytes, returnDelayUs, baudRate }: BusCycle): number {
  return wireUs(readBytes + writeBytes, baudRate) + returnDelayUs;
}

/** The longest cycle at a control rate: with as many reads in turn as may fall due in one period. */
export function cycleAt({ inTurn, ...cycle }: BusCycle, controlRateHz: number): BusCycle {
  if (inTurn === undefined) return cycle;
  const more = Math.min(cycle.servos, Math.ceil(1e6 / (controlRateHz * inTurn.everyUs))) - 1;
  return {
    ...cycle,
    readBytes: cycle.readBytes + more * inTurn.bytes,
    returnDelayUs: cycle.returnDelayUs + more * inTurn.returnDelayUs,
  };
}

const keeps = (cycle: BusCycle, controlRateHz: number): boolean =>
  cycleUs(cycleAt(cycle, controlRateHz)) <= (busShare * 1e6) / controlRateHz;

/** The highest whole rate up to `atMostHz` that the bus keeps; 0 where there is none. */
export function highestRateHz(cycle: BusCycle, atMostHz = Number.POSITIVE_INFINITY): number {
  let hz = Math.floor(Math.min(atMostHz, (busShare * 1e6) / cycleUs(cycle)));
  while (hz > 0 && !keeps(cycle, hz)) hz--;
  return hz;
}

/** @throws KitError E_RATE_BUS with the arithmetic, where a cycle takes more than {@link busShare} of the period */
export function checkControlRate(cycle: BusCycle, controlRateHz: number): void {
  if (keeps(cycle, controlRateHz)) return;
  const at = cycleAt(cycle, controlRateHz);
  const { servos, baudRate, readBytes, writeBytes, returnDelayUs } = at;
  const busyUs = cycleUs(at);
  const periodUs = 1e6 / controlRateHz;
  const percent = (part: number) => `${Math.round(100 * part)} %`;
  const round = (us: number) => us.toFixed(0);
  throw new KitError(
    'E_RATE_BUS',
    `${controlRateHz} ticks a second leave ${round(periodUs)} µs each, and this bus needs ${round(busyUs)} µs (${percent(busyUs / periodUs)}, at most ${percent(busShare)}): ` +
      `reading ${servos} servos is ${readBytes} bytes, writing them ${writeBytes}; at ${baudRate} baud and ${bitsPerByte} bits a byte that is ${round(busyUs - returnDelayUs)} µs, and the return delays are ${round(returnDelayUs)} µs`,
    `take at most ${highestRateHz(cycle, controlRateHz)} Hz, a higher baud rate, or shorter return delays`,
    'usage',
  );
}
