/** Adds up what one policy did, from the rows in which it drove. */
import { Histogram } from '../histogram.js';
import type { PolicyRecord } from '../releases/policy-record.js';
import { type DriveRow, type DriveTotals, driveTotals, noTotals } from './drive-ring.js';

/** What a row has more than the one before it, whoever drove then. */
export interface DriveStep extends DriveTotals {
  readonly inferUs: number;
}

/** Turns totals into steps. */
export class DriveSteps {
  readonly #last = noTotals();

  /** Since the row before. */
  step(row: DriveRow): DriveStep {
    const step = { ...noTotals(), inferUs: row.inferUs };
    for (const name of driveTotals) {
      step[name] = row[name] - this.#last[name];
      this.#last[name] = row[name];
    }
    return step;
  }
}

export class DriveTally {
  readonly #inferUs = new Histogram();
  readonly #sums = noTotals();
  faults = 0;

  add(step: DriveStep): void {
    for (const name of driveTotals) this.#sums[name] += step[name];
    this.#inferUs.record(step.inferUs);
  }

  record(): PolicyRecord {
    const { ticks, late, limited, bounded, refused, ...squares } = this.#sums;
    return {
      format: 'sim2servo/policy-record@1',
      ticks,
      missedByWork: late,
      limitedTicks: limited,
      boundedTicks: bounded,
      refusedTicks: refused,
      faults: this.faults,
      ...squares,
      inferP99Us: this.#inferUs.count === 0 ? 0 : this.#inferUs.percentile(0.99),
    };
  }
}
