import { leRobotName } from '@sim2servo/models/lerobot-calibration';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import {
  jointUnits,
  positionsFromLerobot,
  positionsToLerobot,
  velocitiesToLerobot,
} from '../../src/lerobot/joint-units.js';

const so101 = loadRobot('so101').spec;
const koch = loadRobot('koch').spec;
const near = (a: readonly number[], b: readonly number[]) => a.every((value, i) => Math.abs(value - b[i]!) < 1e-9);

t.test("motors have LeRobot's names", async t => {
  t.same(
    so101.joints.map(({ name }) => leRobotName(name)),
    ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper'],
  );
});

t.test('degrees count from the middle of the range, the gripper in percent of it', async t => {
  const middle = koch.joints.map(({ range: [low, high] }) => (low + high) / 2);
  t.ok(near(positionsToLerobot(koch, middle, 'degrees'), [0, 0, 0, 0, 0, 50]));
  t.ok(near(positionsToLerobot(so101, [Math.PI / 2, 0, -Math.PI / 4, 0, 0, 1.7], 'degrees'), [90, 0, -45, 0, 0, 100]));
  t.ok(near(velocitiesToLerobot(so101, [Math.PI, 0, 0, 0, 0, 1.85], 'degrees'), [180, 0, 0, 0, 0, 100]));
});

t.test('normalised is −100 to 100 over the range', async t => {
  const ends = (end: 0 | 1) => so101.joints.map(({ range }) => range[end]);
  t.ok(near(positionsToLerobot(so101, ends(0), 'normalised'), [-100, -100, -100, -100, -100, 0]));
  t.ok(near(positionsToLerobot(so101, ends(1), 'normalised'), [100, 100, 100, 100, 100, 100]));
});

t.test('there and back is the same angle', async t => {
  for (const spec of [so101, koch])
    for (const unit of jointUnits) {
      const angles = spec.joints.map(({ range: [low, high] }, j) => low + ((high - low) * (j + 1)) / 7);
      t.ok(near(positionsFromLerobot(spec, positionsToLerobot(spec, angles, unit), unit), angles));
    }
});
