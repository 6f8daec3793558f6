import t from 'tap';
import { emptyRecord } from '../../src/releases/policy-record.js';
import { driveFigures, shadowFigures } from '../../src/trial/phase-figures.js';

t.test('of the shadow: how far the two lie apart, joint by joint', async t => {
  const record = { ...emptyRecord, ticks: 250, refusedTicks: 1, inferP99Us: 23.4567 };
  const { figures, words } = shadowFigures(
    record,
    { mean: [0.12345678, 0], largest: [0.9, 0.1], differingShare: 0.4 },
    ['shoulder', 'elbow'],
  );
  t.same(figures, {
    ticks: 250,
    nonFinite: 1,
    inferP99Us: 23.46,
    'differenceMean.shoulder': 0.1235,
    'differenceMax.shoulder': 0.9,
    'differenceMean.elbow': 0,
    'differenceMax.elbow': 0.1,
    differingShare: 0.4,
  });
  t.equal(
    words,
    '250 ticks; its actions differ by (mean/max) shoulder 0.12/0.90, elbow 0.00/0.10, by more than 0.1 in 40 % of the ticks; ' +
      '1 were no numbers; inference p99 23 µs',
  );
});

t.test('of a phase in which it drove: what it is judged by', async t => {
  const record = {
    ...emptyRecord,
    ticks: 200,
    limitedTicks: 10,
    boundedTicks: 40,
    trackingSquareSum: 0.5,
    errorSquareSum: 0.02,
    stillSquareSum: 8,
    inferP99Us: 11,
  };
  const { figures, words } = driveFigures(record);
  t.same(figures, {
    ticks: 200,
    missedByWork: 0,
    refusedTicks: 0,
    faults: 0,
    limitedShare: 0.05,
    boundedShare: 0.2,
    trackingRms: 0.05,
    errorRmsM: 0.01,
    stillRmsM: 0.2,
    inferP99Us: 11,
  });
  t.equal(
    words,
    '200 ticks, 0 ran into the next; limited in 5.0 %, at an end of a range in 20 %; 0.050 rad from its targets, 10 mm from its ' +
      'goals (rms; standing still: 200 mm); inference p99 11 µs',
  );
  t.match(driveFigures(emptyRecord).figures, { limitedShare: 0, trackingRms: 0, errorRmsM: 0, stillRmsM: 0 });
});
