import t from 'tap';
import { reach } from '../../src/tasks/reach.js';
import { taskNamed, taskNames } from '../../src/tasks/task-named.js';

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
    t.ok(task.episodeS > 0);
    t.ok(task.reachedM > 0);
  }
});
