import { Random } from '@sim2servo/models/random';
import t, { type Test } from 'tap';
import { gymTaskNamed } from '../../src/gym/gym-task-named.js';

/** [count][observationSize] first observations of episodes. */
async function starts(name: string, count = 4000): Promise<Float64Array[]> {
  const environment = await gymTaskNamed(`gym/${name}`).create();
  const random = new Random(5);
  const found = Array.from({ length: count }, () => {
    environment.reset(random);
    return environment.exactObservation.slice();
  });
  environment.dispose();
  return found;
}

const column = (rows: readonly Float64Array[], i: number) => rows.map(row => row[i]!);

/** Within five standard errors of mean and variance, inside the range, and reaching close to its ends. */
function isUniform(t: Test, values: readonly number[], low: number, high: number, what: string): void {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  const width = high - low;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  t.ok(least >= low && most <= high, `${what} in ${low} … ${high}: ${least} … ${most}`);
  t.ok(least < low + 0.01 * width && most > high - 0.01 * width, `${what} reaches its ends`);
  t.ok(Math.abs(mean - (low + high) / 2) < (5 * width) / Math.sqrt(12 * n), `${what}: mean ${mean}`);
  t.ok(Math.abs(variance / (width ** 2 / 12) - 1) < 5 * Math.sqrt(0.8 / n), `${what}: variance ${variance}`);
}

function isNormal(t: Test, values: readonly number[], std: number, what: string): void {
  const n = values.length;
  const moment = (power: number) => values.reduce((sum, value) => sum + (value / std) ** power, 0) / n;
  t.ok(Math.abs(moment(1)) < 5 / Math.sqrt(n), `${what}: mean`);
  t.ok(Math.abs(moment(2) - 1) < 5 * Math.sqrt(2 / n), `${what}: variance ${moment(2)}`);
  // 3 for a normal draw, 1.8 for a uniform one.
  t.ok(Math.abs(moment(4) - 3) < 5 * Math.sqrt(96 / n), `${what}: fourth moment ${moment(4)}`);
}

t.test('Pendulum-v1 starts at any angle, slowly', async t => {
  const rows = await starts('Pendulum-v1');
  isUniform(
    t,
    rows.map(row => Math.atan2(row[1]!, row[0]!)),
    -Math.PI,
    Math.PI,
    'angle',
  );
  isUniform(t, column(rows, 2), -1, 1, 'speed');
});

t.test('Reacher-v5 starts almost stretched, with a target in the disc', async t => {
  const rows = await starts('Reacher-v5');
  for (const i of [0, 1]) {
    isUniform(
      t,
      rows.map(row => Math.atan2(row[2 + i]!, row[i]!)),
      -0.1,
      0.1,
      `angle ${i}`,
    );
    isUniform(t, column(rows, 6 + i), -0.005, 0.005, `speed ${i}`);
  }
  // Uniform over a disc: the square of the radius is uniform, and so is the direction.
  isUniform(
    t,
    rows.map(row => row[4]! ** 2 + row[5]! ** 2),
    0,
    0.04,
    'radius²',
  );
  isUniform(
    t,
    rows.map(row => Math.atan2(row[5]!, row[4]!)),
    -Math.PI,
    Math.PI,
    'direction',
  );
});

t.test('InvertedPendulum-v5 starts almost upright', async t => {
  const rows = await starts('InvertedPendulum-v5');
  for (let i = 0; i < 4; i++) isUniform(t, column(rows, i), -0.01, 0.01, `element ${i}`);
});

t.test('InvertedDoublePendulum-v5: positions are uniform, velocities normal', async t => {
  const rows = await starts('InvertedDoublePendulum-v5');
  isUniform(t, column(rows, 0), -0.1, 0.1, 'cart');
  for (const i of [1, 2]) isUniform(t, column(rows, i).map(Math.asin), -0.1, 0.1, `pole ${i}`);
  for (let i = 5; i < 8; i++) isNormal(t, column(rows, i), 0.1, `velocity ${i}`);
});

t.test('Pusher-v5: the arm is always the same, the puck is off the goal', async t => {
  const rows = await starts('Pusher-v5');
  for (let i = 0; i < 7; i++) {
    t.same(new Set(column(rows, i)), new Set([0]), `joint ${i}`);
    isUniform(t, column(rows, 7 + i), -0.005, 0.005, `speed ${i}`);
  }
  const offsets = rows.map(row => [row[17]! - row[20]!, row[18]! - row[21]!] as const);
  t.ok(offsets.every(([x, y]) => Math.abs(x) <= 0.2 && y >= -0.3 && y <= 1e-12 && Math.hypot(x, y) > 0.17 - 1e-12));
  // Beyond the clearance nothing cuts the rectangle: x stays uniform there.
  isUniform(
    t,
    offsets.filter(([, y]) => y < -0.17).map(([x]) => x),
    -0.2,
    0.2,
    'puck x where y < −0.17',
  );
  t.same(new Set(rows.map(row => `${row.subarray(20)}`)).size, 1, 'the goal stays');
});

t.test('Hopper-v5 starts standing, almost at rest', async t => {
  const rows = await starts('Hopper-v5');
  isUniform(t, column(rows, 0), 1.245, 1.255, 'height');
  for (let i = 1; i < 11; i++) isUniform(t, column(rows, i), -0.005, 0.005, `element ${i}`);
});

t.test('HalfCheetah-v5: positions are uniform, velocities normal', async t => {
  const rows = await starts('HalfCheetah-v5');
  for (let i = 0; i < 8; i++) isUniform(t, column(rows, i), -0.1, 0.1, `position ${i}`);
  for (let i = 8; i < 17; i++) isNormal(t, column(rows, i), 0.1, `velocity ${i}`);
});
