import { Random } from '@sim2servo/models/random';
import { createEnvironment } from '@sim2servo/sim/environment-recipe';
import t from 'tap';
import { robotArm } from '../src/robot-arm.js';

t.test('the simulated arm is made from a recipe, in any thread', async t => {
  const recipe = robotArm({ robot: 'desk2', task: 'reach', controlRateHz: 50, randomise: true });
  const environment = await createEnvironment(structuredClone(recipe));
  environment.reset(new Random(1));
  t.ok(Number.isFinite(environment.step(new Float32Array(environment.actionSize))));
  t.equal(environment.observationSize, 21);
  environment.dispose();
});

t.test('an unknown robot or task is an error of its own', async t => {
  const recipe = { robot: 'desk2', task: 'reach', controlRateHz: 50, randomise: false };
  await t.rejects(createEnvironment(robotArm({ ...recipe, task: 'juggle' })), { code: 'E_TASK_UNKNOWN' });
  await t.rejects(createEnvironment(robotArm({ ...recipe, robot: 'nobody' })), { code: 'E_ROBOT_UNKNOWN' });
});
