import { KitError } from '@sim2servo/models/error';
import { countsOfAngle } from '@sim2servo/models/hobby-servo';
import { loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { silenceMs, siteOn } from '@sim2servo/models/site';
import fc from 'fast-check';
import t from 'tap';
import { PulseMap, ticksPerUs } from '../../src/kitlink/pulse-map.js';

const { spec, site } = loadRobot('desk2');
const servos = servosInOrder(spec, siteOn(site, 'kitlink'));
const map = new PulseMap(spec, site, 2);

const thrown = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

t.test('pulses are computed from the two calibrated ends, in ticks of half a microsecond', async t => {
  const ticks = new Uint16Array(2);
  /* Shoulder: 600 … 2400 µs over ±π/2, so 0 rad is 1500 µs. Elbow runs downwards: 1.35 rad, its middle, is 1500 µs. */
  map.toTicks([0, 1.35], ticks);
  t.same([...ticks], [3000, 3000]);
  map.toTicks([0.5, 1.85], ticks);
  const step = (0.5 * 1800 * ticksPerUs) / Math.PI;
  t.ok(Math.abs(ticks[0]! - (3000 + step)) <= 0.5 && Math.abs(ticks[1]! - (3000 - step)) <= 0.5, `${[...ticks]}`);
});

t.test('converter counts become angles, the same way round', async t => {
  const angles = new Float64Array(2);
  map.toAngles([{ counts: 512 }, { counts: 512 }], angles);
  t.ok(Math.abs(angles[0]!) < 1e-9 && Math.abs(angles[1]! - 1.35) < 1e-9, `${[...angles]}`);
  map.toAngles([{ counts: 90 }, { counts: 90 }], angles);
  t.same([...angles], [servos[0]!.angleRad[0], servos[1]!.angleRad[1]]);
});

t.test("CONFIG holds the pulses of the joints' ranges and a speed limit a little above the shield's", async t => {
  t.equal(map.config.deadlineMs, silenceMs(site.bus));
  for (const [j, joint] of spec.joints.entries()) {
    const servo = servos[j]!;
    const { minTicks, maxTicks, maxStepTicks } = map.config.channels[servo.id]!;
    const ticksPerRad =
      (Math.abs(servo.pulseUs[1] - servo.pulseUs[0]) * ticksPerUs) / (servo.angleRad[1] - servo.angleRad[0]);
    t.ok(minTicks < maxTicks && minTicks >= 1000 && maxTicks <= 5000, `${minTicks} … ${maxTicks}`);
    t.ok(Math.abs(maxTicks - minTicks - (joint.range[1] - joint.range[0]) * ticksPerRad) <= 2);
    const perPeriod = joint.maxVelocity * 0.02 * ticksPerRad;
    t.ok(
      maxStepTicks >= perPeriod && maxStepTicks <= 1.2 * perPeriod,
      `${maxStepTicks} ticks, the shield ${perPeriod}`,
    );
  }
});

t.test('whatever target is asked for, the pulse lies within CONFIG', async () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: -4, max: 4, noNaN: true }),
      (a, b) => {
        const ticks = new Uint16Array(2);
        map.toTicks([a, b], ticks);
        return map.config.channels.every((c, i) => ticks[i]! >= c.minTicks && ticks[i]! <= c.maxTicks);
      },
    ),
  );
});

t.test('an angle within the range is asked for and measured within one count and one tick', async () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), share => {
      const asked = spec.joints.map(({ range }) => range[0] + share * (range[1] - range[0]));
      const measured = new Float64Array(2);
      map.toAngles(
        servos.map((servo, j) => ({ counts: Math.round(countsOfAngle(servo, asked[j]!)) })),
        measured,
      );
      return asked.every((angle, j) => Math.abs(angle - measured[j]!) < Math.PI / 844);
    }),
  );
});

t.test('no NaN and no infinity becomes a pulse', async t => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const ticks = Uint16Array.of(7, 7);
    const error = thrown(() => map.toTicks([bad, 1], ticks));
    t.ok(error instanceof KitError && error.code === 'E_TARGET' && error.message.includes('shoulder'), `${bad}`);
    t.same([...ticks], [7, 7], 'nothing was written');
  }
});

t.test('a servo on a channel that the board lacks is named', async t => {
  const error = thrown(() => new PulseMap(spec, site, 1));
  t.match(error, {
    code: 'E_CHANNEL',
    exit: 'usage',
    message: "servo 'elbow' has id 1, the board has channels 0 to 0",
  });
});

t.test('channels without a servo are off, and joints find their channel by the id of their servo', async t => {
  const swapped = { ...site, servos: site.servos.map(servo => ({ ...servo, id: 3 - servo.id })) };
  const other = new PulseMap(spec, swapped, 4);
  t.same(other.config.channels.slice(0, 2), [
    { minTicks: 0, maxTicks: 0, maxStepTicks: 0 },
    { minTicks: 0, maxTicks: 0, maxStepTicks: 0 },
  ]);
  t.same(other.config.channels[3], map.config.channels[0]);
  const ticks = new Uint16Array(4);
  other.toTicks([0.5, 1.35], ticks);
  t.same([ticks[0], ticks[1], ticks[2]], [0, 0, 3000]);
});

t.test('CONFIG says the limits of desk2 as worked out by hand', async t => {
  const { config } = new PulseMap(spec, site, 2);
  t.equal(config.deadlineMs, 60);
  t.equal(config.samplePhaseTicks, 24_000);
  /* Shoulder: 600 … 2400 µs over ±1.5708 rad is 572.96 µs/rad; ±1.5 rad is 1500 ∓ 859.4 µs. A step: 4 rad/s · 20 ms · 1.1 = 0.088 rad. */
  t.same(config.channels[0], { minTicks: 1281, maxTicks: 4719, maxStepTicks: 101 });
  /* Elbow, downwards: 0.1 rad is 2216.2 µs, 2.6 rad is 783.8 µs. */
  t.same(config.channels[1], { minTicks: 1567, maxTicks: 4433, maxStepTicks: 101 });
});
