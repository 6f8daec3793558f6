import t from 'tap';
import { RealtimeClock } from '../src/realtime-clock.js';
import { measureWakeUps } from '../src/wake-ups.js';

t.test('lateness is counted for each deadline after the warm-up', async t => {
  const { count, min, p50, max } = await measureWakeUps(new RealtimeClock(), 200, 0.5);
  // Deadlines that the machine slept over are left out, so there may be fewer.
  t.ok(count > 0 && count <= 101, `${count} deadlines`);
  t.ok(min >= 0 && min <= p50 && p50 <= max);
});
