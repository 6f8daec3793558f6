import t from 'tap';
import { createControlState, resetControlState } from '../src/control-state.js';
import { desk2, desk2With, spatialArm } from './arms.js';

t.test('a state is as large as its robot', async t => {
  const state = createControlState(spatialArm());
  t.equal(state.position.length, 3);
  t.equal(state.velocity.length, 3);
  t.equal(state.target.length, 3);
  t.equal(state.targetVelocity.length, 3);
  t.equal(state.goal.length, 3);
  t.equal(state.actions.length, 9, 'three actions of three joints');
  t.equal(createControlState(desk2With({ actionHistory: 5 })).actions.length, 10);
});

t.test('a reset arm rests where it is found: nothing commanded, nothing remembered', async t => {
  const state = createControlState(desk2);
  for (const part of [state.position, state.velocity, state.target, state.targetVelocity, state.actions, state.goal])
    part.fill(0.5);
  resetControlState(state, [0.3, 1.4]);
  t.same([...state.position], [0.3, 1.4]);
  t.same([...state.target], [0.3, 1.4], 'the goal of the servos is where they are: nothing moves');
  t.same([...state.velocity], [0, 0]);
  t.same([...state.targetVelocity], [0, 0]);
  t.same([...state.actions], [0, 0, 0, 0, 0, 0]);
  t.same([...state.goal], [0.5, 0.5, 0.5], 'the goal point stays');
});

t.test('the state keeps no hold of the array it was reset from', async t => {
  const state = createControlState(desk2);
  const measured = Float64Array.of(0.1, 1);
  resetControlState(state, measured);
  measured.fill(9);
  t.same([...state.position], [0.1, 1]);
  t.same([...state.target], [0.1, 1]);
});
