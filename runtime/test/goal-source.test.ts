import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { drawnGoals, listedGoals } from '../src/goal-source.js';
import { robot, task } from './support/arm-fixture.js';

t.test('listed goals come in order, each for its ticks, then none', async t => {
  const goals = listedGoals([[0.1, 0.05, 0.06], Float64Array.of(0.2, 0, 0.06)], 100);
  const out = new Float64Array(3);
  t.equal(goals.next(out), 100);
  t.same([...out], [0.1, 0.05, 0.06]);
  t.equal(goals.next(out), 100);
  t.same([...out], [0.2, 0, 0.06]);
  t.equal(goals.next(out), 0);
  t.equal(goals.next(out), 0);
});

t.test("drawn goals are the task's own, the same for the same seed", async t => {
  const one = new Float64Array(3);
  const two = new Float64Array(3);
  t.equal(drawnGoals(robot.spec, task, new Random(5), 40).next(one), 40);
  drawnGoals(robot.spec, task, new Random(5), 40).next(two);
  t.same(one, two);
  const expected = new Float64Array(3);
  task.sampleGoal(robot.spec, new Random(5), expected);
  t.same(one, expected);
});

t.test('a goal that is no point is refused by its number', async t => {
  t.throws(
    () =>
      listedGoals(
        [
          [0, 0, 0],
          [0, Number.NaN, 0],
        ],
        10,
      ),
    { code: 'E_GOAL', message: /goal 1 is \[0, NaN, 0\]/ },
  );
  t.throws(() => listedGoals([[0, 0]], 10), { code: 'E_GOAL', exit: 'usage' });
  t.throws(() => listedGoals([], 0), { code: 'E_GOAL', message: /0 ticks/ });
  t.throws(() => drawnGoals(robot.spec, task, new Random(1), 1.5), { code: 'E_GOAL' });
});
