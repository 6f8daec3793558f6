import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { FrozenSensors, frozenAfterRad } from '../src/frozen-sensors.js';

const { spec } = loadRobot('desk2');
const so101 = loadRobot('so101').spec;
const limit = frozenAfterRad(spec, 0);

t.test('a joint that is told to move further than a servo lags, and does not move by one count, is named', async t => {
  const sensors = new FrozenSensors(spec);
  const position = Float64Array.of(0.2, 1.2);
  for (let told = 0; told < limit; told += 0.01)
    t.equal(sensors.frozen(position, Float64Array.of(0.2 + told, 1.2)), '');
  t.match(
    sensors.frozen(position, Float64Array.of(0.21 + limit, 1.2)),
    /joint 'shoulder' stays at 0\.200 rad .* told to move by 0\.33 rad/,
  );
});

t.test('one count of motion is enough, and what was told before it does not count', async t => {
  const sensors = new FrozenSensors(spec);
  let elbow = 1.2;
  for (let told = 0; told < 3 * limit; told += 0.9 * limit) {
    elbow += 1e-3;
    t.equal(sensors.frozen(Float64Array.of(0, elbow), Float64Array.of(0, 1.2 + told)), '');
  }
});

t.test('there and back counts from one end to the other', async t => {
  const sensors = new FrozenSensors(spec);
  const position = Float64Array.of(0, 1.2);
  t.equal(sensors.frozen(position, Float64Array.of(0, 1.2)), '');
  t.equal(sensors.frozen(position, Float64Array.of(0, 1.2 + 0.6 * limit)), '');
  t.match(sensors.frozen(position, Float64Array.of(0, 1.2 - 0.6 * limit)), /'elbow'/);
});

t.test('a joint that stands because it is told to is not accused', async t => {
  const sensors = new FrozenSensors(spec);
  for (let i = 0; i < 10_000; i++) t.equal(sensors.frozen(Float64Array.of(0, 1.2), Float64Array.of(0.1, 1.1)), '');
});

t.test('where targets stay near the arm, so that they could never go further than it lags, less is enough', async t => {
  for (const [j] of so101.joints.entries()) t.ok(frozenAfterRad(so101, j) < so101.safety.lead!);
});
