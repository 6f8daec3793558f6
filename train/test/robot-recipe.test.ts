import { readdirSync } from 'node:fs';
import { loadRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { robotRecipe } from '../src/robot-recipe.js';
import { defaultTrainingConfig, parseTrainingConfig } from '../src/training-config.js';

const recipeOf = (robot: string, controlRateHz?: number) =>
  robotRecipe(robot, loadRobot(robot).spec, 'reach', controlRateHz);

t.test('every shipped robot has a recipe that is a valid configuration', async t => {
  for (const robot of readdirSync(shippedRobots)) {
    const recipe = recipeOf(robot, 100);
    t.strictSame(parseTrainingConfig(structuredClone(recipe), robot), recipe);
    t.equal(recipe.robot, robot);
    t.equal(recipe.controlRateHz, 100);
  }
});

t.test('desk2 is trained as it always was', async t => t.strictSame(recipeOf('desk2'), defaultTrainingConfig));

t.test('the horizon is a time: at twice the rate it is twice the steps; going on looks further', async t => {
  const { spec } = loadRobot('so101');
  const horizon = (rate: number, goingOn: boolean) =>
    1 / (1 - robotRecipe('so101', spec, 'reach', rate, goingOn).sac.gamma) / rate;
  for (const rate of [50, 100]) {
    t.ok(Math.abs(horizon(rate, false) - 0.5) < 1e-9);
    t.ok(Math.abs(horizon(rate, true) - 1.2) < 1e-9);
  }
});

t.test('what goes on has the networks of what it began with', async t => {
  const { spec } = loadRobot('so101');
  const [nothing, on] = [false, true].map(goingOn => robotRecipe('so101', spec, 'reach', 50, goingOn).sac);
  for (const shape of ['hiddenSizes', 'critics', 'criticLayerNorm'] as const) t.strictSame(on![shape], nothing![shape]);
});
