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

t.test('the horizon is a time: at twice the rate it is twice the steps', async t => {
  const horizon = (rate: number) => 1 / (1 - recipeOf('so101', rate).sac.gamma) / rate;
  t.ok(Math.abs(horizon(50) - 0.5) < 1e-9);
  t.ok(Math.abs(horizon(100) - 0.5) < 1e-9);
});

t.test('what goes on has the networks of what it began with, and learns more slowly', async t => {
  const { spec } = loadRobot('so101');
  const [nothing, on] = [false, true].map(goingOn => robotRecipe('so101', spec, 'reach', 100, goingOn).sac);
  for (const same of ['hiddenSizes', 'critics', 'criticLayerNorm', 'gamma'] as const)
    t.strictSame(on![same], nothing![same]);
  t.ok(on!.learningRate < nothing!.learningRate && on!.actorAfter > 0);
});
