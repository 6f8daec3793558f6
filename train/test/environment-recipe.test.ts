import t from 'tap';
import { createEnvironment } from '../src/environment-recipe.js';
import { kinematicArm } from './environments/kinematic-arm.js';

t.test('a recipe makes an environment anywhere', async t => {
  const environment = await createEnvironment(structuredClone(kinematicArm({ gain: 0.3 })));
  t.equal(environment.observationSize, 21);
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
