import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { selfTest } from '../../src/releases/self-test.js';
import { robot } from '../support/arm-fixture.js';
import { writeSmallBundle } from '../support/small-bundle.js';

const path = join(t.testdir(), 'bundle');
writeSmallBundle(path, robot);

t.test('a good policy passes, with its figures', async t => {
  const tested = await selfTest(loadBundle(path));
  t.ok(tested.goldenMaxError < 1e-5);
  t.equal(tested.inferUs.count, 300);
});

t.test('a policy that is too slow for its rate is refused with both figures', async t => {
  await t.rejects(selfTest(loadBundle(path), 1e-9), {
    code: 'E_SELFTEST_LATENCY',
    message: /takes \d+ µs .* at 50 Hz it may take 0 µs/,
  });
});

t.test('a network that takes seconds is refused after seconds', async t => {
  const slow = join(t.testdir(), 'slow');
  writeSmallBundle(slow, robot);
  const { now } = performance;
  t.teardown(() => {
    performance.now = now;
  });
  let calls = 0;
  // Each look at the time is half a second later: one inference takes as long.
  performance.now = () => 500 * calls++;
  await t.rejects(selfTest(loadBundle(slow)), { code: 'E_SELFTEST_LATENCY', message: /takes 5\d{5} µs/ });
  t.ok(calls < 20, `after ${calls} looks at the time`);
});
