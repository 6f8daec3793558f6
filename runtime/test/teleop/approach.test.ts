import { createControlState } from '@sim2servo/models/control-state';
import t from 'tap';
import { approach, approachRadS } from '../../src/teleop/approach.js';
import { robot } from '../support/arm-fixture.js';

t.test('each joint goes its way at the same speed, and what is near arrives', async t => {
  const state = createControlState(robot.spec);
  state.target.set([0.2, 1]);
  const targets = new Float64Array(2);
  const left = approach(state, [1.2, 0.999], 0.02, targets);
  t.same([...targets], [0.2 + 0.02 * approachRadS, 0.999]);
  t.ok(Math.abs(left - (1 - 0.02 * approachRadS)) < 1e-12, 'the furthest joint tells');
});

t.test('it goes on from what was executed, so a limit winds nothing up', async t => {
  const state = createControlState(robot.spec);
  const targets = new Float64Array(2);
  for (let i = 0; i < 100; i++) approach(state, [1, 1], 0.02, targets);
  t.same([...targets], [0.02 * approachRadS, 0.02 * approachRadS]);
});
