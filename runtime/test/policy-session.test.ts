import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { inferenceBackends } from '../src/inference-backend.js';
import { openPolicySession } from '../src/policy-session.js';
import { robot } from './support/arm-fixture.js';
import { answer, randomPolicy, writeSmallBundle } from './support/small-bundle.js';

const folder = t.testdir();
const policy = randomPolicy(robot);

t.test('a session answers for every backend, after its golden vectors were checked', async t => {
  const path = join(folder, 'good');
  writeSmallBundle(path, robot, policy);
  const bundle = loadBundle(path, { robot });
  for (const backend of inferenceBackends) {
    const session = await openPolicySession(bundle, { backends: [backend] });
    t.equal(session.backend, backend);
    t.ok(session.goldenMaxError < 1e-5);
    t.ok(session.observation.every(value => value === 0));
    session.observation.fill(0.25);
    await session.infer();
    for (const [j, value] of answer(policy, session.observation).entries())
      t.ok(Math.abs(session.action[j]! - value) < 1e-6);
    const before = [...session.action];
    session.observation.fill(-0.5);
    await session.rehearse();
    t.same([...session.action], before, 'a rehearsal changes nothing');
    await session.dispose();
  }
});

t.test('golden vectors that differ by more than 1e-5 are refused', async t => {
  const path = join(folder, 'off');
  writeSmallBundle(path, robot, policy, { golden: 2e-5 });
  await t.rejects(openPolicySession(loadBundle(path)), { code: 'E_BUNDLE_GOLDEN', message: /golden vector 0/ });
});

t.test('not a number in the observation comes out as not a number, for the shield to refuse', async t => {
  const path = join(folder, 'nan');
  writeSmallBundle(path, robot, policy);
  const session = await openPolicySession(loadBundle(path));
  session.observation[3] = Number.NaN;
  await session.infer();
  t.ok(Number.isNaN(session.action[0]));
  await session.dispose();
});
