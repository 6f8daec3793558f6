import t from 'tap';
import { RealtimeClock } from '../src/realtime-clock.js';

for (const hasPriority of [false, true])
  t.test(`a wait never ends early, with priority ${hasPriority}`, async t => {
    const clock = new RealtimeClock(hasPriority);
    for (const us of [0, 10, 400, 1_700, 3_100, 12_345]) {
      const until = clock.nowUs() + us;
      await clock.waitUntil(until);
      t.ok(clock.nowUs() >= until);
    }
  });

t.test('with priority it sleeps instead of spinning, and still hears what the event loop brings', async t => {
  const clock = new RealtimeClock(true);
  let brought = 0;
  const bring = setInterval(() => brought++, 1);
  const before = process.cpuUsage();
  const fromUs = clock.nowUs();
  for (let i = 0; i < 100; i++) await clock.waitUntil(clock.nowUs() + 2_000);
  clearInterval(bring);
  const { user, system } = process.cpuUsage(before);
  t.ok(user + system < 0.5 * (clock.nowUs() - fromUs), `${user + system} µs of work in ${clock.nowUs() - fromUs} µs`);
  t.ok(brought >= 10, `${brought} timers fired`);
});

t.test('who waits for something besides is woken by it, with priority too', async t => {
  const clock = new RealtimeClock(true);
  const far = clock.nowUs() + 3_600e6;
  await clock.waitUntil(far, new Promise(resolve => setTimeout(resolve, 5)));
  t.ok(clock.nowUs() < far);
});

t.test('a time that is over is not waited for', async t => {
  const clock = new RealtimeClock();
  await clock.waitUntil(0);
  await clock.waitUntil(Number.NEGATIVE_INFINITY);
  t.pass();
});

t.test('the event loop turns while it spins', async t => {
  const clock = new RealtimeClock();
  let turns = 0;
  let over = false;
  const count = () => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  // Short enough that no timer is used. A wait that spun without turning would let none through, however often.
  for (let i = 0; i < 100 && turns <= 3; i++) await clock.waitUntil(clock.nowUs() + 1_400);
  over = true;
  t.ok(turns > 3, `${turns} turns`);
});

t.test('a wake ends a wait', async t => {
  const clock = new RealtimeClock();
  const far = clock.nowUs() + 3_600e6;
  await clock.waitUntil(far, new Promise(resolve => setTimeout(resolve, 5)));
  t.ok(clock.nowUs() < far);
  await clock.waitUntil(far, Promise.resolve());
  await clock.waitUntil(far, Promise.reject(new Error('also a reason to look')));
  t.ok(clock.nowUs() < far);
});

t.test('attending keeps the loop turning without being awaited, until relaxed', async t => {
  const clock = new RealtimeClock();
  clock.attend(clock.nowUs() + 3_600e6);
  clock.attend(clock.nowUs() + 3_600e6);
  let done = false;
  setTimeout(() => {
    done = true;
  }, 3);
  while (!done) await new Promise(resolve => setImmediate(resolve));
  clock.relax();
  t.pass('a timer fired meanwhile; the process can end');
});
