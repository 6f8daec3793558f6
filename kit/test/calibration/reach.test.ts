import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { shortOfRange } from '../../src/calibration/reach.js';

const [, lift] = loadRobot('koch').spec.joints; // −1.5 … 0.55

t.test('a joint that goes at least as far as robot.json says, or nearly, reaches its range', async t => {
  t.equal(shortOfRange(lift!, [-1.6, 0.7]), undefined);
  t.equal(shortOfRange(lift!, [-1.46, 0.51]), undefined);
});

t.test('one that does not is named, with how far it went and should', async t => {
  t.equal(
    shortOfRange(lift!, [-1.2, 0.6]),
    'shoulder-lift went -1.20 … 0.60 rad, and its range in robot.json is -1.50 … 0.55',
  );
});

t.test('where it would fit the other way round the direction is wrong', async t => {
  t.match(
    shortOfRange(lift!, [-0.6, 1.55]),
    /the other way round it would fit, so its direction in site\.json is wrong/,
  );
});
