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
  const horizonS = (robot: string, rate: number) => {
    const { sac, learnAtHz = rate } = recipeOf(robot, rate);
    return 1 / (1 - sac.gamma) / learnAtHz;
  };
  for (const rate of [20, 50, 100]) {
    t.ok(Math.abs(horizonS('desk2', rate) - 0.4) < 1e-9);
    t.ok(Math.abs(horizonS('so101', rate) - 3) < 1e-9);
  }
});

t.test('an arm whose actions are velocities learns at 25 Hz at most, whatever the rate of its policy', async t => {
  t.equal(recipeOf('so101', 100).learnAtHz, 25);
  t.equal(recipeOf('so101', 20).learnAtHz, 20);
  const { spec } = loadRobot('so101');
  const stepping = { ...spec, action: { kind: 'delta-position', scale: 0.06 } } as const;
  t.equal(robotRecipe('so101', stepping, 'reach', 100).learnAtHz, 100, 'a step is another velocity at another rate');
});

t.test('what goes on has the networks of what it began with, and learns more slowly', async t => {
  const { spec } = loadRobot('so101');
  const [nothing, on] = [false, true].map(goingOn => robotRecipe('so101', spec, 'reach', 100, goingOn).sac);
  for (const same of ['hiddenSizes', 'critics', 'criticLayerNorm', 'gamma'] as const)
    t.strictSame(on![same], nothing![same]);
  t.ok(on!.learningRate < nothing!.learningRate && on!.actorAfter > 0);
});
