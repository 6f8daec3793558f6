import { KitError } from '@sim2servo/models/error';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import t from 'tap';
import { FailedRun } from '../../src/tour/run-process.js';
import { heldUpWords } from '../../src/tour/tour-steps.js';

const stopped = (away: number) =>
  new FailedRun('E_SAFETY_STOP', 'no fresh position for 5 ticks', 'see that the arm is free', 'safetyStop', {
    missedBy: { away, read: 1, work: 1 },
  } as RunReport);
const onTime = { maxLagUs: 19_000 };

t.test(
  'a machine that holds board or program up for longer than a tick is to blame for a stop, and nothing else is',
  async t => {
    t.equal(heldUpWords({ maxLagUs: 104_000 }, stopped(0)), 'this machine held the emulated board up for 104 ms');
    t.equal(heldUpWords(onTime, stopped(3)), 'this machine held the program up for 3 ticks');
    t.equal(heldUpWords(onTime, stopped(0)), undefined, 'late samples and slow work on a machine that kept up');
  },
);

t.test('what is no safety stop is never tried again', async t => {
  const busy = { maxLagUs: 104_000 };
  t.equal(heldUpWords(busy, new KitError('E_PORT_GONE', 'the port has gone', 'plug it in', 'noDevice')), undefined);
  t.equal(heldUpWords(busy, new TypeError('a bug')), undefined);
});
