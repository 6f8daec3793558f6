import { Random } from '@sim2servo/models/random';
import fc from 'fast-check';
import t from 'tap';
import { PeriodLock } from '../src/period-lock.js';

/** Feeds samples of a board whose true period is `periodUs`; returns the last errors of the predicted arrivals. */
function follow(periodUs: number, jitterUs: number, samples: number, seed = 1): { lock: PeriodLock; errors: number[] } {
  const random = new Random(seed);
  const transportUs = 1_500;
  const lock = new PeriodLock(50, 20_000, 5_000, 5_000 + transportUs + 400);
  let deadline = lock.next(5_000);
  const errors: number[] = [];
  for (let i = 1; i <= samples; i++) {
    const sampledAtUs = 5_000 + i * periodUs;
    const arrived = sampledAtUs + transportUs;
    errors.push(deadline - arrived);
    lock.observe(sampledAtUs + random.uniform(-jitterUs, jitterUs), arrived, true);
    deadline = lock.next(deadline);
  }
  return { lock, errors };
}

t.test('period and phase of a board that is off by up to half a per cent are found', async () => {
  fc.assert(
    fc.property(fc.double({ min: 19_900, max: 20_100, noNaN: true }), fc.integer(), (periodUs, seed) => {
      const { lock, errors } = follow(periodUs, 20, 400, seed);
      const last = errors.slice(-100).map(Math.abs);
      if (Math.max(...last) > 40) throw new Error(`deadline off by ${Math.max(...last)} µs`);
      if (Math.abs(lock.tickPeriodUs - periodUs) > 5) throw new Error(`period ${lock.tickPeriodUs}, truly ${periodUs}`);
      if (lock.relocks > 0) throw new Error('it lost the lock');
    }),
    { numRuns: 50 },
  );
});

t.test('without jitter the lock is exact', async t => {
  const { errors } = follow(20_050, 0, 600);
  t.ok(Math.abs(errors.at(-1)!) < 0.1);
});

t.test('lost samples do not lose the phase', async t => {
  const lock = new PeriodLock(50, 20_000, 0, 1_000);
  for (let i = 1; i < 500; i++) if (i % 7 !== 0) lock.observe(i * 20_020, i * 20_020 + 1_000, true);
  t.equal(lock.relocks, 0);
  t.ok(Math.abs(lock.tickPeriodUs - 20_020) < 1);
});

t.test('a jump of the phase is taken at once and counted', async t => {
  const lock = new PeriodLock(50, 20_000, 0, 1_000);
  lock.observe(20_000, 21_000, true);
  lock.observe(49_000, 50_000, true);
  t.equal(lock.relocks, 1);
  t.equal(lock.next(50_000), 70_000);
});

t.test('samples that were there before we looked make it look earlier, until one is seen arriving', async t => {
  const lock = new PeriodLock(50, 20_000, 0, 9_000);
  t.equal(lock.transportUs, 9_000);
  for (let i = 1; i < 10; i++) lock.observe(i * 20_000, i * 20_000 + 9_000 - i * 100, false);
  t.ok(lock.transportUs < 8_000);
  const before = lock.transportUs;
  lock.observe(200_000, 200_000 + before + 50, true);
  t.ok(lock.transportUs > before);
});

t.test("a policy at a whole fraction of the board's rate skips samples", async t => {
  const lock = new PeriodLock(25, 20_000, 0, 1_000);
  t.equal(lock.tickPeriodUs, 40_000);
  t.equal(lock.samplePeriodUs, 20_000);
  t.equal(lock.next(1_000), 41_000);
});

t.test('without a device period the deadlines run free', async t => {
  const lock = new PeriodLock(100, 0, 0, 300);
  lock.observe(4_321, 4_400, true);
  t.equal(lock.next(1_000), 11_000);
  t.equal(lock.next(1_000, 3), 31_000);
});

t.test('rates that the board does not have are refused with the value and what would do', async t => {
  for (const rate of [51.5, 60, 100, 33])
    t.throws(() => new PeriodLock(rate, 20_000, 0, 0), {
      code: 'E_RATE_BUS',
      exit: 'usage',
      message: new RegExp(`${rate} ticks`),
    });
  for (const rate of [50, 25, 10, 49.7]) t.ok(new PeriodLock(rate, 20_000, 0, 0));
});
