import { emptyState, type Trial } from '@sim2servo/runtime/releases/store-state';
import t from 'tap';
import { failedDeployment, healthOf } from '../../src/agent/health.js';
import { fakeEntry } from '../support/fake-robot.js';

const digest = 'd'.repeat(64);
const trial: Trial = { id: 'a', digest, phase: 'shadow', running: false, skip: {} };

t.test('a trial says more of a robot than that it drives, and that more than what it has', async t => {
  const driving = { running: { digest, sinceS: 1 } };
  t.equal(healthOf({ state: emptyState }), 'no policy');
  t.equal(healthOf({ state: emptyState, current: digest }), 'ready');
  t.equal(healthOf({ state: emptyState, current: digest, ...driving }), 'driving');
  t.equal(healthOf({ state: { ...emptyState, trial }, current: digest, ...driving }), 'on trial');
  t.equal(healthOf({ state: { ...emptyState, trial }, current: digest }), 'untried', 'nobody drives');
});

const refused = { ...fakeEntry, event: 'refused', words: 'it answers otherwise' } as const;
const rolledBack = { ...fakeEntry, event: 'rolled-back', words: 'it shook' } as const;

t.test('a deployment that was refused or rolled back is an error until one goes well', async t => {
  t.equal(failedDeployment([]), undefined);
  t.same(failedDeployment([refused]), { code: 'E_DEPLOY_REFUSED', message: 'it answers otherwise' });
  t.same(failedDeployment([refused, rolledBack]), { code: 'E_DEPLOY_ROLLED_BACK', message: 'it shook' });
  for (const event of ['admitted', 'proposed', 'committed'] as const)
    t.equal(failedDeployment([refused, { ...fakeEntry, event }]), undefined, event);
  t.match(failedDeployment([refused, { ...fakeEntry, event: 'verified' }]), { code: 'E_DEPLOY_REFUSED' });
});

t.test('what an operator undid is no error', async t => {
  t.equal(failedDeployment([refused, { ...rolledBack, by: 'ann@desk' }]), undefined);
});
