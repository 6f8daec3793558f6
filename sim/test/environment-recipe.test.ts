import t from 'tap';
import { createEnvironment } from '../src/environment-recipe.js';
import { gymRecipe } from '../src/gym/gym-recipe.js';

t.test('a recipe makes an environment anywhere', async t => {
  const environment = await createEnvironment(structuredClone(gymRecipe('gym/Reacher-v5')));
  t.equal(environment.observationSize, 10);
  environment.dispose();
});

t.test('a recipe whose module is absent, or makes no environments, is refused', async t => {
  await t.rejects(createEnvironment({ module: 'no-such-package', options: {} }), {
    code: 'E_ENVIRONMENT',
    message: /no-such-package/,
  });
  await t.rejects(createEnvironment({ module: 'node:path', options: {} }), {
    code: 'E_ENVIRONMENT',
    message: /exports no createEnvironment/,
  });
});
