import fc from 'fast-check';
import t from 'tap';
import { offsetFor, turnedCounts } from '../src/homing.js';

/** What a servo reports: actual − offset, within its turn. */
const reported = (actual: number, offset: number) => (((actual - offset) % 4096) + 4096) % 4096;
const counts = fc.integer({ min: 0, max: 4095 });

t.test('by hand: a servo without offset that says 200 says 2048 with −1848', async t => {
  t.equal(offsetFor(0, 200, 2048), -1848);
  t.equal(offsetFor(0, 4000, 2048), 1952);
  t.equal(offsetFor(100, 2048, 2048), 100);
});

t.test(
  'with the new offset it says what was wanted, and at most one count beside where eleven bits do not do',
  async () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: -2047, max: 2047 }), (actual, offset) => {
        const next = offsetFor(offset, reported(actual, offset), 2048);
        return Math.abs(next) <= 2047 && Math.abs(reported(actual, next) - 2048) <= 1;
      }),
    );
  },
);

t.test('a joint that runs over the end of its turn is followed the short way', async t => {
  t.equal(turnedCounts(4090, 5), 11);
  t.equal(turnedCounts(5, 4090), -11);
  fc.assert(
    fc.property(counts, fc.integer({ min: -2000, max: 2000 }), (from, by) => {
      return turnedCounts(from, (((from + by) % 4096) + 4096) % 4096) === by;
    }),
  );
});
