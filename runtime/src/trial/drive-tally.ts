/** Adds up what one policy did, from the rows in which it drove. */
import { Histogram } from '../histogram.js';
import type { PolicyRecord } from '../releases/policy-record.js';
import type { DriveRow } from './drive-ring.js';

/** What a row has more than the one before it, whoever drove then. */
export type DriveStep = Omit<DriveRow, 'serial' | 'observation' | 'action'>;

/** Turns totals into steps. */
export class DriveSteps {
  readonly #last = { ticks: 0, late: 0, limited: 0, bounded: 0, refused: 0, trackingSquareSum: 0 };

  /** Since the row before. */
  step(row: DriveRow): DriveStep {
    const last = this.#last;
    const step = {
      ticks: row.ticks - last.ticks,
      late: row.late - last.late,
      limited: row.limited - last.limited,
      bounded: row.bounded - last.bounded,
      refused: row.refused - last.refused,
      trackingSquareSum: row.trackingSquareSum - last.trackingSquareSum,
      inferUs: row.inferUs,
    };
    last.ticks = row.ticks;
    last.late = row.late;
    last.limited = row.limited;
    last.bounded = row.bounded;
    last.refused = row.refused;
    last.trackingSquareSum = row.trackingSquareSum;
    return step;
  }
}

export class DriveTally {
  readonly #inferUs = new Histogram();
  #ticks = 0;
  #late = 0;
  #limited = 0;
  #bounded = 0;
  #refused = 0;
  #squares = 0;
  faults = 0;

  add(step: DriveStep): void {
    this.#ticks += step.ticks;
    this.#late += step.late;
    this.#limited += step.limited;
    this.#bounded += step.bounded;
    this.#refused += step.refused;
    this.#squares += step.trackingSquareSum;
    this.#inferUs.record(step.inferUs);
  }

  record(): PolicyRecord {
    return {
      format: 'sim2servo/policy-record@1',
      ticks: this.#ticks,
      missedByWork: this.#late,
      limitedTicks: this.#limited,
      boundedTicks: this.#bounded,
      refusedTicks: this.#refused,
      faults: this.faults,
      trackingSquareSum: this.#squares,
      inferP99Us: this.#inferUs.count === 0 ? 0 : this.#inferUs.percentile(0.99),
    };
  }
}
