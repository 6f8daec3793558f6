import t from 'tap';
import { emptyRecord, mergeRecords, policyRecordSchema } from '../../src/releases/policy-record.js';

const one = {
  ...emptyRecord,
  ticks: 100,
  limitedTicks: 10,
  faults: 1,
  trackingSquareSum: 0.5,
  errorSquareSum: 0.25,
  stillSquareSum: 2,
  inferP99Us: 10,
};

t.test('an empty record is one, and adds nothing', async t => {
  t.same(policyRecordSchema.parse(emptyRecord), emptyRecord);
  t.same(mergeRecords(one, emptyRecord), one);
  t.same(mergeRecords(emptyRecord, one), one);
  t.same(mergeRecords(emptyRecord, emptyRecord), emptyRecord);
});

t.test('two records together are the sum of what they count, and the mean of what can’t be added', async t => {
  const other = { ...one, ticks: 300, boundedTicks: 7, missedByWork: 2, refusedTicks: 1, inferP99Us: 30 };
  t.same(policyRecordSchema.parse(mergeRecords(one, other)), {
    ...one,
    ticks: 400,
    missedByWork: 2,
    limitedTicks: 20,
    boundedTicks: 7,
    refusedTicks: 1,
    faults: 2,
    trackingSquareSum: 1,
    errorSquareSum: 0.5,
    stillSquareSum: 4,
    inferP99Us: 25,
  });
});
