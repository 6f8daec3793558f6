import fc from 'fast-check';
import t from 'tap';
import { angleOfCounts, angleOfPulse, countsOfAngle, pulseOfAngle } from '../src/hobby-servo.js';
import { type HobbyServo, siteSchema } from '../src/site.js';
import { desk2SiteJson } from './arms.js';

const [shoulder, elbow] = siteSchema.parse(desk2SiteJson()).servos as [HobbyServo, HobbyServo];
const close = (a: number, b: number) => Math.abs(a - b) < 1e-9;

t.test('the ends of the angles are the ends of pulses and counts', async t => {
  t.equal(pulseOfAngle(shoulder, -1.5708), 600);
  t.equal(pulseOfAngle(shoulder, 1.5708), 2400);
  t.equal(countsOfAngle(shoulder, -1.5708), 90);
  t.equal(countsOfAngle(shoulder, 1.5708), 934);
});

t.test('the middle is the middle, by hand', async t => {
  t.equal(pulseOfAngle(shoulder, 0), 1500);
  t.equal(countsOfAngle(shoulder, 0), 512);
  t.ok(close(pulseOfAngle(shoulder, 0.7854), 1950), 'a quarter turn is 900 µs');
});

t.test('a servo that is mounted the other way round has pulses that run downwards', async t => {
  t.equal(pulseOfAngle(elbow, -0.2208), 2400);
  t.equal(pulseOfAngle(elbow, 2.9208), 600);
  t.ok(close(pulseOfAngle(elbow, 1.35), 1500));
  t.equal(countsOfAngle(elbow, 2.9208), 90);
});

t.test('the calibration offset is added to what is measured, and to nothing else', async t => {
  const offset: HobbyServo = { ...shoulder, offsetRad: 0.05 };
  t.ok(close(angleOfCounts(offset, 512), 0.05));
  t.equal(pulseOfAngle(offset, 0), 1500);
  t.equal(countsOfAngle(offset, 0), 512);
});

t.test('pulse and counts lead back to the angle they came from', async t => {
  fc.assert(
    fc.property(fc.double({ min: -4, max: 4, noNaN: true }), fc.constantFrom(shoulder, elbow), (angle, servo) => {
      return (
        close(angleOfPulse(servo, pulseOfAngle(servo, angle)), angle) &&
        close(angleOfCounts(servo, countsOfAngle(servo, angle)), angle)
      );
    }),
  );
  t.pass();
});
