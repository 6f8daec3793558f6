import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import t from 'tap';
import { whyNotExchangeable } from '../../src/releases/exchangeable.js';
import { robot } from '../support/arm-fixture.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';
import { TrialPolicies } from '../support/trial-policies.js';

const folder = t.testdir();
const written = (name: string, seed: number, controlRateHz = 50) => {
  writeSmallBundle(join(folder, name), robot, randomPolicy(robot, seed), { controlRateHz });
  return loadBundle(join(folder, name));
};

t.test('policies of one network, rate and task can be exchanged, whatever they have learnt', async t => {
  t.equal(whyNotExchangeable(written('a', 1), written('b', 2)), undefined);
});

t.test('others can not, and it is said why and what to do', async t => {
  const a = written('c', 1);
  t.match(whyNotExchangeable(a, written('d', 2, 25)), { code: 'E_FOLLOW_DIFFERS', message: /control rate 25.*50/ });
  const task = { ...a, manifest: { ...a.manifest, task: 'push' } } as typeof a;
  t.match(whyNotExchangeable(a, task), { code: 'E_FOLLOW_DIFFERS', message: /task push.*reach/ });
  const policies = new TrialPolicies(robot);
  policies.write(join(folder, 'e'), policies.goingTo(0), 'other');
  const other = whyNotExchangeable(a, loadBundle(join(folder, 'e')));
  t.match(other, { code: 'E_POLICY_NETWORK', message: /other has another network/, hint: /start it again/ });
});
