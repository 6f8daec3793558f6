import { Random } from '@sim2servo/models/random';
import fc from 'fast-check';
import t from 'tap';
import { BoardClock } from '../../src/kitlink/board-clock.js';

const wrap = 2 ** 32;
const flightUs = 1600;

/** Frames every 20 ms from a board that was switched on at `startedUs` of the host and whose clock runs `drift` fast. */
function follow(startedUs: number, drift: number, frames: number, delayUs: () => number, boardStartUs = 0) {
  const clock = new BoardClock();
  const errors: number[] = [];
  for (let i = 1; i <= frames; i++) {
    const hostUs = startedUs + i * 20_000;
    const boardUs = boardStartUs + i * 20_000 * (1 + drift);
    clock.observe(Math.floor(boardUs) % wrap, hostUs + flightUs + delayUs(), flightUs);
    if (i > 4) errors.push(clock.toHost(Math.floor(boardUs) % wrap) - hostUs);
  }
  return { clock, errors };
}

t.test('over a line without delays it is right to the microsecond', async t => {
  for (const error of follow(5_000_000, 0, 20, () => 0).errors) t.ok(Math.abs(error) <= 1, `${error} µs`);
});

t.test('a delayed frame is not believed while a quick one is in the window', async t => {
  let frame = 0;
  const { errors } = follow(1e6, 0, 100, () => (frame++ % 4 === 0 ? 0 : 3000));
  t.ok(Math.max(...errors.map(Math.abs)) <= 1, 'one in four is enough');
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

t.test('a resonator half a percent off costs no more than the window lasts', async t => {
  for (const drift of [0.005, -0.005]) {
    const { errors } = follow(1e6, drift, 1000, () => 0);
    t.ok(Math.max(...errors.map(Math.abs)) <= 4 * 20_000 * 0.005 + 1, `${drift}`);
  }
});

t.test("the board's 32 bits may wrap, at any moment", async t => {
  for (const before of [wrap - 1, wrap - 30_000, wrap - 100_000, wrap / 2 - 1]) {
    const { errors } = follow(1e6, 0, 40, () => 0, before);
    t.ok(Math.max(...errors.map(Math.abs)) <= 1, `${before}`);
  }
});

t.test('an instant before the last frame is found too', async t => {
  const { clock } = follow(1e6, 0, 10, () => 0);
  t.equal(clock.toHost(10 * 20_000 - 2000), 1e6 + 10 * 20_000 - 2000);
});

t.test('a host that was away is right again after four frames', async t => {
  let frame = 0;
  /* The rig's emulated time stood still for 50 ms: from then on all is later. */
  const { errors } = follow(1e6, 0, 60, () => (frame++ < 30 ? 0 : 50_000));
  t.ok(errors.slice(-20).every(error => Math.abs(error - 50_000) <= 1));
});
