import t from 'tap';
import { gymTaskNamed } from '../../src/gym/gym-task-named.js';

// Rewards by hand; that they are Gymnasium's to the last digits is gymnasium-vectors.test.ts.

t.test('Pendulum-v1: hanging at rest costs π², and a torque of 2 N·m 0.004', async t => {
  const environment = await gymTaskNamed('gym/Pendulum-v1').create();
  environment.resetTo([Math.PI], [0]);
  t.equal(environment.step([0]), -(Math.PI ** 2));
  environment.resetTo([0], [0]);
  t.equal(environment.step([1]), -0.004);
  // 3·2 N·m/(kg·m²) for 0.05 s.
  t.ok(Math.abs(environment.exactObservation[2]! - 0.3) < 1e-15);
  environment.resetTo([3 * Math.PI], [2]);
  t.ok(Math.abs(environment.step([0]) + Math.PI ** 2 + 0.4) < 1e-9, 'turns do not count');
  environment.resetTo([Math.PI / 2], [7.9]);
  environment.step([1]);
  t.equal(environment.exactObservation[2], 8, 'no faster than 8 rad/s');
});

t.test('Reacher-v5: stretched to (0.21, 0), from a target at (0.06, 0)', async t => {
  const environment = await gymTaskNamed('gym/Reacher-v5').create();
  t.teardown(() => environment.dispose());
  environment.resetTo([0, 0, 0.06, 0], [0, 0, 0, 0]);
  t.ok(Math.abs(environment.exactObservation[8]! - 0.15) < 1e-12);
  t.ok(Math.abs(environment.step([0, 0]) + 0.15) < 1e-12, 'at rest only the distance counts');
});

t.test('InvertedDoublePendulum-v5: upright at the middle of the rail is worth 9.36', async t => {
  const environment = await gymTaskNamed('gym/InvertedDoublePendulum-v5').create();
  t.teardown(() => environment.dispose());
  environment.resetTo([0, 0, 0], [0, 0, 0]);
  // The tip is at 1.2 m, 0.8 m below where it should be: 10 − 0.64.
  t.ok(Math.abs(environment.step([0]) - 9.36) < 1e-6);
  t.equal(environment.terminated, false);
  environment.resetTo([0, 1, 0], [0, 0, 0]);
  t.ok(environment.step([0]) < 0 && environment.terminated, 'nothing is given for falling');
});

t.test('Hopper-v5: standing still is worth 1, lying nothing', async t => {
  const environment = await gymTaskNamed('gym/Hopper-v5').create();
  t.teardown(() => environment.dispose());
  environment.resetTo([0, 1.25, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0]);
  t.ok(Math.abs(environment.step([0, 0, 0]) - 3) < 0.2, '2 m/s forward on top');
  environment.resetTo([0, 1.25, 0.25, 0, 0, 0], [0, 0, 0, 0, 0, 0]);
  t.ok(environment.step([0, 0, 0]) < 0.5 && environment.terminated);
});

t.test('HalfCheetah-v5: full torque on all six joints costs 0.6', async t => {
  const environment = await gymTaskNamed('gym/HalfCheetah-v5').create();
  t.teardown(() => environment.dispose());
  const x = () => environment.step([1, -1, 1, -1, 1, -1]);
  environment.resetTo(Array(9).fill(0), [3, ...Array(8).fill(0)]);
  const reward = x();
  t.ok(reward > 1.4 && reward < 3, `${reward}: about 3 m/s less 0.6`);
});
