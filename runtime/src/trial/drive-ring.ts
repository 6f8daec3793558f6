/**
 * What the loop lets the watching thread see of each tick with a fresh sample: who drove, what it saw and asked for, and what the run has
 * counted so far. Counts are totals, so that a row that finds no room loses nothing but its own observation.
 */
import { SharedRing, type SharedRingMemory, sharedRing } from '../shared-ring.js';
import type { TickCounters } from '../tick-counters.js';
import type { RecordSizes } from '../tick-record.js';

export interface DriveRingMemory {
  readonly ring: SharedRingMemory;
  readonly sizes: RecordSizes;
}

/** What the run has counted so far, in the order in which it lies in a row. */
export const driveTotals = [
  'ticks',
  'late',
  'limited',
  'bounded',
  'refused',
  'trackingSquareSum',
  'errorSquareSum',
  'stillSquareSum',
] as const;
export type DriveTotals = Record<(typeof driveTotals)[number], number>;

export const noTotals = (): DriveTotals =>
  Object.fromEntries(driveTotals.map(name => [name, 0])) as unknown as DriveTotals;

/** The reader fills the same row again and again. */
export interface DriveRow extends DriveTotals {
  /** Of the policy that drove: the watching thread counts those that it hands over. */
  serial: number;
  inferUs: number;
  readonly observation: Float32Array;
  /** As the policy asked for it. */
  readonly action: Float32Array;
}

/** Serial, totals, inference. */
const counts = 1 + driveTotals.length + 1;

export function driveRing(sizes: RecordSizes, capacity: number): DriveRingMemory {
  return { ring: sharedRing(counts + sizes.observation + sizes.joints, capacity), sizes };
}

export class DriveRing extends SharedRing {
  readonly #row: DriveRow;

  constructor({ ring, sizes }: DriveRingMemory) {
    super(ring);
    this.#row = {
      serial: 0,
      ...noTotals(),
      inferUs: 0,
      observation: new Float32Array(sizes.observation),
      action: new Float32Array(sizes.joints),
    };
  }

  push(serial: number, counters: TickCounters, inferUs: number, observation: Float32Array, action: Float32Array): void {
    let at = this.rowToWrite();
    if (at < 0) return;
    const { data } = this;
    data[at++] = serial;
    // In the order of driveTotals.
    data[at++] = counters.ticks - counters.stale;
    data[at++] = counters.lateTicks;
    data[at++] = counters.limitedTicks;
    data[at++] = counters.boundedTicks;
    data[at++] = counters.refused;
    data[at++] = counters.trackingSquareSum[0]!;
    data[at++] = counters.errorSquareSum[0]!;
    data[at++] = counters.stillSquareSum[0]!;
    data[at++] = inferUs;
    data.set(observation, at);
    data.set(action, at + observation.length);
    this.written();
  }

  /** The oldest row, valid until the next call; undefined where there is none. */
  shift(): DriveRow | undefined {
    let at = this.rowToRead();
    if (at < 0) return undefined;
    const { data } = this;
    const row = this.#row;
    row.serial = data[at++]!;
    for (const name of driveTotals) row[name] = data[at++]!;
    row.inferUs = data[at++]!;
    // Number by number: a part of an array is an object of its own.
    for (let i = 0; i < row.observation.length; i++) row.observation[i] = data[at++]!;
    for (let i = 0; i < row.action.length; i++) row.action[i] = data[at++]!;
    this.taken();
    return row;
  }
}
