import { angleOfPulse, countsOfAngle } from '@sim2servo/models/hobby-servo';
import { loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import fc from 'fast-check';
import t from 'tap';
import { PulseMap, ticksPerUs } from '../../src/kitlink/pulse-map.js';

const { spec, site } = loadRobot('desk2');
const servos = servosInOrder(spec, site);

t.test('CONFIG says the limits of desk2 as worked out by hand', async t => {
  const { config } = new PulseMap(spec, site, 2);
  t.equal(config.deadlineMs, 60);
  t.equal(config.samplePhaseTicks, 24_000);
  /* Shoulder: 600 … 2400 µs over ±1.5708 rad is 572.96 µs/rad; ±1.5 rad is 1500 ∓ 859.4 µs. A step: 4 rad/s · 20 ms · 1.1 = 0.088 rad. */
  t.same(config.channels[0], { minTicks: 1281, maxTicks: 4719, maxStepTicks: 101 });
  /* Elbow, downwards: 0.1 rad is 2216.2 µs, 2.6 rad is 783.8 µs. */
  t.same(config.channels[1], { minTicks: 1567, maxTicks: 4433, maxStepTicks: 101 });
});

t.test('a board with more channels gets the rest switched off', async t => {
  const { config } = new PulseMap(spec, site, 4);
  t.same(
    config.channels.slice(2),
    [2, 3].map(() => ({ minTicks: 0, maxTicks: 0, maxStepTicks: 0 })),
  );
});

t.test('a servo on a channel that the board lacks is an error with its name', async t => {
  t.throws(() => new PulseMap(spec, site, 1), { code: 'E_CHANNEL', exit: 'usage', message: /servo 'elbow' has id 1/ });
});

t.test('an angle in the range becomes the pulse that asks for it, to half a tick', async () => {
  const map = new PulseMap(spec, site, 2);
  const inRange = (j: 0 | 1) =>
    fc.double({ min: spec.joints[j]!.range[0], max: spec.joints[j]!.range[1], noNaN: true });
  fc.assert(
    fc.property(inRange(0), inRange(1), (shoulder, elbow) => {
      const ticks = new Uint16Array(2);
      map.toTicks([shoulder, elbow], ticks);
      return [shoulder, elbow].every((angle, j) => {
        const back = angleOfPulse(servos[j]!, ticks[servos[j]!.id]! / ticksPerUs);
        return Math.abs(back - angle) < 0.0005;
      });
    }),
  );
});

t.test('an angle beyond the range becomes the limit, never a pulse outside it', async () => {
  const map = new PulseMap(spec, site, 2);
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (a, b) => {
        const ticks = new Uint16Array(2);
        map.toTicks([a, b], ticks);
        return ticks.every(
          (tick, i) => tick >= map.config.channels[i]!.minTicks && tick <= map.config.channels[i]!.maxTicks,
        );
      },
    ),
  );
});

t.test('a target that is no number is refused by name', async t => {
  const map = new PulseMap(spec, site, 2);
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    t.throws(() => map.toTicks([0, wrong], new Uint16Array(2)), {
      code: 'E_TARGET',
      message: new RegExp(`'elbow' is ${wrong}`),
    });
});

t.test('counts become the angles at which the potentiometers show them', async t => {
  const map = new PulseMap(spec, site, 2);
  const angles = new Float64Array(2);
  for (const expected of [
    [0, 1.2],
    [-1.5, 2.6],
    [1.5, 0.1],
  ]) {
    map.toAngles(
      servos.map((servo, j) => ({ counts: countsOfAngle(servo, expected[j]!) })),
      angles,
    );
    for (const [j, angle] of expected.entries()) t.ok(Math.abs(angles[j]! - angle) < 1e-12, `${angle}`);
  }
});

t.test('channels may be crossed: the site says which servo hangs on which', async t => {
  const crossed = { ...site, servos: site.servos.map(servo => ({ ...servo, id: 1 - servo.id })) };
  const straight = new Uint16Array(2);
  const swapped = new Uint16Array(2);
  new PulseMap(spec, site, 2).toTicks([0.3, 1.1], straight);
  new PulseMap(spec, crossed, 2).toTicks([0.3, 1.1], swapped);
  t.same([...swapped], [...straight].reverse());
});
