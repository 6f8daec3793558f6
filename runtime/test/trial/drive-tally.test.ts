import t from 'tap';
import type { DriveRow } from '../../src/trial/drive-ring.js';
import { DriveSteps, DriveTally } from '../../src/trial/drive-tally.js';

const row = (ticks: number, inferUs: number): DriveRow => ({
  serial: 0,
  ticks,
  late: ticks,
  limited: 2 * ticks,
  bounded: 3 * ticks,
  refused: 4 * ticks,
  trackingSquareSum: ticks / 2,
  errorSquareSum: 5 * ticks,
  stillSquareSum: 6 * ticks,
  inferUs,
  observation: new Float32Array(),
  action: new Float32Array(),
});

t.test('totals become steps, and steps the record of whoever drove, whatever rows are missing between', async t => {
  const steps = new DriveSteps();
  const [first, second] = [new DriveTally(), new DriveTally()];
  first.add(steps.step(row(1, 10)));
  first.add(steps.step(row(10, 10)));
  second.add(steps.step(row(12, 90)));
  t.match(first.record(), {
    ticks: 10,
    missedByWork: 10,
    limitedTicks: 20,
    boundedTicks: 30,
    refusedTicks: 40,
    trackingSquareSum: 5,
    errorSquareSum: 50,
    stillSquareSum: 60,
    inferP99Us: 10,
    faults: 0,
  });
  t.match(second.record(), { ticks: 2, refusedTicks: 8, inferP99Us: 90 });
});

t.test('one that never drove has a record of nothing, and a fault is counted by whoever saw it', async t => {
  const tally = new DriveTally();
  tally.faults++;
  t.match(tally.record(), { ticks: 0, inferP99Us: 0, faults: 1 });
});
