import { loadRobot } from '@sim2servo/models/robot-folder';
import { createEnvironment } from '@sim2servo/sim/environment-recipe';
import { gymTasks } from '@sim2servo/sim/gym/gym-task-named';
import t from 'tap';
import { robotRecipe } from '../src/robot-recipe.js';
import { defaultGymTrainingConfig, defaultTrainingConfig } from '../src/training-config.js';
import { errorWindowSteps, worldOf } from '../src/training-world.js';

t.test('the sizes that a configuration stands for are those of its environment', async t => {
  const gym = gymTasks.map(({ name }) => ({ ...defaultGymTrainingConfig, task: name }));
  for (const config of [defaultTrainingConfig, ...gym]) {
    const { sizes, actuators, environment: recipe, evaluation } = worldOf(config);
    for (const made of [recipe, evaluation.environment]) {
      const environment = await createEnvironment(structuredClone(made));
      t.strictSame({ observation: environment.observationSize, action: environment.actionSize }, sizes, config.task);
      environment.dispose();
    }
    t.equal(actuators.length, sizes.action);
  }
});

t.test('a robot is judged by its error over the last half second, a gym task by its return', t => {
  t.equal(errorWindowSteps(50), 25);
  const { evaluation, title } = worldOf(defaultTrainingConfig);
  t.match({ evaluation, title }, { evaluation: { errorWindow: 25, reachedM: 0.01 }, title: 'desk2 reach' });
  t.match(worldOf(defaultGymTrainingConfig), { title: 'gym/Reacher-v5', evaluation: { reachedM: 0 } });
  t.end();
});

t.test('a policy may learn at another rate than it then has, and is judged at its own', async t => {
  const config = robotRecipe('so101', loadRobot('so101').spec, 'reach', 100);
  const { environment, evaluation } = worldOf(config);
  t.match(environment, { options: { controlRateHz: 25, nearStarts: 0.5, chainedStarts: 0.3 } });
  t.match(evaluation, { environment: { options: { controlRateHz: 100 } }, errorWindow: 50 });
  t.throws(
    () => worldOf({ ...defaultTrainingConfig, learnAtHz: 25 }),
    { code: 'E_LEARN_RATE', message: /desk2 has actions of kind 'delta-position', .* 25 Hz than at 50 Hz/ },
    'but not where an action is no velocity',
  );
});

t.test('what is unknown is named', t => {
  t.throws(() => worldOf({ ...defaultTrainingConfig, robot: 'nobody' }), { code: 'E_ROBOT_UNKNOWN' });
  t.throws(() => worldOf({ ...defaultTrainingConfig, task: 'juggle' }), { code: 'E_TASK_UNKNOWN' });
  t.throws(() => worldOf({ ...defaultGymTrainingConfig, task: 'gym/Juggle-v1' }), { code: 'E_TASK_UNKNOWN' });
  t.end();
});
