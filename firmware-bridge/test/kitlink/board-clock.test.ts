import { Random } from '@sim2servo/models/random';
import fc from 'fast-check';
import t from 'tap';
import { BoardClock } from '../../src/kitlink/board-clock.js';

const flightUs = 1600;

/** Frames every 20 ms from a board that was switched on at `startedUs` of the host and whose clock runs `drift` fast. */
function follow(startedUs: number, drift: number, frames: number, delayUs: () => number) {
  const clock = new BoardClock();
  const errors: number[] = [];
  for (let i = 1; i <= frames; i++) {
    const hostUs = startedUs + i * 20_000;
    const boardUs = i * 20_000 * (1 + drift);
    clock.observe(Math.floor(boardUs) % 2 ** 32, hostUs + flightUs + delayUs(), flightUs);
    if (i > 4) errors.push(clock.toHost(Math.floor(boardUs) % 2 ** 32) - hostUs);
  }
  return { clock, errors };
}

t.test('an instant of the board is where its frame says, less the time that the bytes took', async t => {
  const clock = new BoardClock();
  clock.observe(112_274, 9_000_000, flightUs);
  t.equal(clock.toHost(112_274), 9_000_000 - flightUs);
  t.equal(clock.toHost(112_007), 9_000_000 - flightUs - 267);
});

t.test('a frame that came late does not move it: the fastest of the last four counts', async t => {
  const clock = new BoardClock();
  for (const [i, lateUs] of [5000, 0, 8000, 300].entries())
    clock.observe(20_000 * i, 1_000_000 + 20_000 * i + flightUs + lateUs, flightUs);
  t.equal(clock.toHost(60_000), 1_060_000);
});

t.test('a fifth frame displaces the first, so that clocks which drift apart are followed', async t => {
  const clock = new BoardClock();
  clock.observe(0, 1_000_000 + flightUs, flightUs);
  for (let i = 1; i <= 4; i++) clock.observe(20_000 * i, 1_000_500 + 20_000 * i + flightUs, flightUs);
  t.equal(clock.toHost(80_000), 1_080_500);
});

t.test(
  "a resonator 0.5 % off and a line that stutters leave an error below the stutter's least and 0.5 % of four frames",
  async t => {
    const random = new Random(7);
    const clock = new BoardClock();
    let worst = 0;
    for (let i = 0; i < 5000; i++) {
      const trueUs = 20_000 * i;
      const boardUs = Math.round(trueUs * 1.005);
      clock.observe(boardUs % 2 ** 32, trueUs + flightUs + 40 + 3000 * random.uniform() ** 4, flightUs);
      if (i > 4) worst = Math.max(worst, Math.abs(clock.toHost(boardUs % 2 ** 32) - trueUs));
    }
    /* Four frames apart 0.5 % is 400 µs; the rest is what the fastest of four frames was late by. */
    t.ok(worst < 400 + 40 + 3000, `${worst.toFixed(0)} µs`);
  },
);

t.test("the board's 32 bits may wrap any number of times, wherever they began", async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.array(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 40 }),
      (start, steps) => {
        const clock = new BoardClock();
        let us = start;
        for (const step of [0, ...steps]) {
          us += step;
          clock.observe(us % 2 ** 32, us - start + flightUs, flightUs);
          const beforeUs = Math.min(5000, us);
          if (clock.toHost((us - beforeUs) % 2 ** 32) !== us - start - beforeUs) return false;
        }
        return true;
      },
    ),
  );
});

t.test('it is never early, and late by no more than the least delay of the window', async () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 20_000 }), (seed, most) => {
      const random = new Random(seed);
      const { errors } = follow(1e6, 0, 60, () => random.uniform() * most);
      return errors.every(error => error >= -1 && error <= most + 1);
    }),
  );
});

t.test('a host that was away is right again after four frames', async t => {
  let frame = 0;
  /* The rig's emulated time stood still for 50 ms: from then on all is later. */
  const { errors } = follow(1e6, 0, 60, () => (frame++ < 30 ? 0 : 50_000));
  t.ok(errors.slice(-20).every(error => Math.abs(error - 50_000) <= 1));
});

t.test('a longer window remembers the fastest frame for longer, for those who come through a network', async t => {
  const clock = new BoardClock(50);
  clock.observe(1_000_000, 9_000_000, 0);
  for (let i = 1; i < 50; i++) clock.observe(1_000_000 + i * 20_000, 9_000_000 + i * 20_000 + 15_000, 0);
  t.equal(clock.toHost(1_980_000), 9_980_000);
  clock.observe(2_000_000, 10_015_000, 0);
  t.equal(clock.toHost(2_000_000), 10_015_000, 'and forgets it then');
});
