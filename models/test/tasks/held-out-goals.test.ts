import t from 'tap';
import { heldOutGoals } from '../../src/tasks/held-out-goals.js';
import { reach } from '../../src/tasks/reach.js';
import { desk2, desk2With } from '../arms.js';

t.test('the goals that judge a policy are the same for everybody', async t => {
  const goals = heldOutGoals(desk2, reach, 20);
  t.equal(goals.length, 20);
  t.same(heldOutGoals(desk2With({}), reach, 20), goals, 'also from a spec that was read again');
  t.equal(new Set(goals.map(goal => goal.join())).size, 20, 'and all different');
});

t.test('fewer goals are the first of more', async t => {
  t.same(heldOutGoals(desk2, reach, 5), heldOutGoals(desk2, reach, 20).slice(0, 5));
  t.same(heldOutGoals(desk2, reach, 0), []);
});

t.test('they were fixed once: a change here makes every committed result incomparable', async t => {
  const [first, , , , fifth] = heldOutGoals(desk2, reach, 5).map(goal => [...goal].map(x => Math.round(x * 1e6) / 1e6));
  t.same(first, [0.105504, 0.062868, 0.06]);
  t.same(fifth, [0.043184, 0.107669, 0.06]);
});

t.test('another robot has other goals', async t => {
  t.notSame(heldOutGoals(desk2With({ name: 'other' }), reach, 3), heldOutGoals(desk2, reach, 3));
});

t.test('each goal is a record of its own', async t => {
  const goals = heldOutGoals(desk2, reach, 2);
  goals[0]!.fill(9);
  t.notSame(goals[1], goals[0]);
  t.notSame(heldOutGoals(desk2, reach, 1)[0], goals[0]);
});
