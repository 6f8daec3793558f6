import t from 'tap';
import { reach } from '../../src/tasks/reach.js';
import { taskNamed, taskNames } from '../../src/tasks/task-named.js';
import { desk2 } from '../arms.js';

t.test('a task is found by its name', async t => {
  t.equal(taskNamed('reach'), reach);
  for (const name of taskNames) t.equal(taskNamed(name).name, name);
});

t.test('a name that is no task is an error that lists those there are', async t => {
  for (const name of ['', 'Reach', 'push', 'constructor'])
    t.throws(() => taskNamed(name), {
      code: 'E_TASK_UNKNOWN',
      exit: 'usage',
      message: `there is no task '${name}'`,
      hint: /reach/,
    });
});

t.test('every task has an episode of some length and a distance at which it counts as done', async t => {
  for (const task of taskNames.map(taskNamed)) {
    for (const rate of [50, 100]) t.ok(task.episodeS(desk2, rate) > 0);
    t.ok(task.reachedM > 0);
  }
});
