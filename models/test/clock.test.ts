import t from 'tap';
import type { Clock } from '../src/clock.js';

/** The smallest clock that keeps the interface’s promises: time moves only by waiting, and a wake ends a wait where it happened. */
function virtualClock(): Clock {
  let nowUs = 0;
  return {
    nowUs: () => nowUs,
    async waitUntil(timeUs, wake) {
      const woken = wake === undefined ? false : await Promise.race([wake.then(() => true), Promise.resolve(false)]);
      if (!woken) nowUs = Math.max(nowUs, timeUs);
    },
  };
}

t.test('the interface can be kept by a clock that no real time passes in', async t => {
  const clock = virtualClock();
  await clock.waitUntil(20_000);
  t.equal(clock.nowUs(), 20_000);
  await clock.waitUntil(10_000);
  t.equal(clock.nowUs(), 20_000, 'waiting for the past does not turn time back');
  await clock.waitUntil(40_000, new Promise(() => undefined));
  t.equal(clock.nowUs(), 40_000);
});
