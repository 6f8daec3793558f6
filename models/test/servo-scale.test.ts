import fc from 'fast-check';
import t from 'tap';
import { servoScale } from '../src/servo-scale.js';
import { type CountedServo, siteSchema } from '../src/site.js';
import { desk2SiteJson } from './arms.js';

const servo: CountedServo = {
  kind: 'feetech',
  model: 'sts3215',
  joint: 'shoulder-pan',
  id: 1,
  zeroCount: 2000,
  direction: 1,
};

t.test('a counted servo has 4096 counts to a turn, from its zero on, either way round', async t => {
  t.equal(servoScale(servo).countsOfAngle(0), 2000);
  t.equal(servoScale(servo).countsOfAngle(Math.PI / 2), 3024);
  t.equal(servoScale({ ...servo, direction: -1 }).countsOfAngle(Math.PI / 2), 976);
  t.equal(servoScale(servo).lastCount, 4095);
});

t.test('angles come back from their counts, and commands are rounded to the nearest', async () => {
  const servos = [servo, { ...servo, direction: -1 as const }, ...siteSchema.parse(desk2SiteJson()).servos];
  for (const each of servos) {
    const { angleOfCounts, countsOfAngle, commandedAngle } = servoScale(each);
    fc.assert(
      fc.property(fc.double({ min: -1.5, max: 1.5, noNaN: true }), angle => {
        const step = each.kind === 'hobby-pwm' ? 0.001 : Math.PI / 2048;
        const back = angleOfCounts(countsOfAngle(angle));
        return Math.abs(back - angle) < 1e-9 && Math.abs(commandedAngle(angle) - angle) <= step / 2 + 1e-12;
      }),
    );
  }
});
