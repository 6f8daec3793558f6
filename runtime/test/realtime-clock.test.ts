import t from 'tap';
import { recordGcPauses } from '../src/gc-pauses.js';
import { Histogram } from '../src/histogram.js';
import { RealtimeClock } from '../src/realtime-clock.js';

t.test('a wait never ends early', async t => {
  const clock = new RealtimeClock();
  for (const us of [0, 10, 400, 1_700, 3_100, 12_345]) {
    const until = clock.nowUs() + us;
    await clock.waitUntil(until);
    t.ok(clock.nowUs() >= until);
    const orNever = clock.nowUs() + us;
    await clock.waitUntil(orNever, new Promise(() => {}));
    t.ok(clock.nowUs() >= orNever);
  }
});

t.test('it sleeps instead of spinning, and still hears what the event loop brings', async t => {
  const clock = new RealtimeClock();
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

t.test('who waits for something besides is woken by it', async t => {
  const clock = new RealtimeClock();
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

t.test('short waits one after another let the event loop turn', async t => {
  const clock = new RealtimeClock();
  let turns = 0;
  let over = false;
  const count = () => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  for (let i = 0; i < 10; i++) await clock.waitUntil(clock.nowUs() + 400);
  over = true;
  t.ok(turns >= 10, `${turns} turns`);
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

t.test('it is never early, looks at the time a few times a wait, and goes on where that stands still', async t => {
  const clock = new RealtimeClock();
  const { now } = performance;
  t.teardown(() => {
    performance.now = now;
  });
  let looks = 0;
  let standsFor = 0;
  let stood = 0;
  performance.now = () => {
    looks++;
    if (standsFor-- > 0) return stood;
    stood = now.call(performance);
    return stood;
  };
  let early = 0;
  for (let i = 0; i < 200; i++) {
    if (i === 100) standsFor = 50;
    const until = clock.nowUs() + 1_000;
    await clock.waitUntil(until);
    if (clock.nowUs() < until) early++;
  }
  t.equal(early, 0);
  t.ok(looks / 200 < 40, `${looks / 200} looks in a millisecond`);
});

t.test('garbage is collected at the beginning of a wait, where there is time', async t => {
  const clock = new RealtimeClock();
  const pauses = new Histogram();
  const ended = recordGcPauses(pauses);
  const until = clock.nowUs() + 1e6;
  while (clock.nowUs() < until) await clock.waitUntil(clock.nowUs() + 5_000);
  await new Promise(resolve => setTimeout(resolve, 20));
  ended();
  t.ok(pauses.summary().count >= 2);
});
