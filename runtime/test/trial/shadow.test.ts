import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { observationSize } from '@sim2servo/models/observe';
import t from 'tap';
import { differingBy, Shadow } from '../../src/trial/shadow.js';
import { robot } from '../support/arm-fixture.js';
import { answer, randomPolicy, writeSmallBundle } from '../support/small-bundle.js';
import { TrialPolicies } from '../support/trial-policies.js';

const folder = t.testdir();
const observation = new Float32Array(observationSize(robot.spec)).fill(0.2);

t.test(
  'how far it lies from the one that drives: mean and largest of each joint, and how often by more than a little',
  async t => {
    const policy = randomPolicy(robot, 3);
    writeSmallBundle(join(folder, 'a'), robot, policy);
    const shadow = await Shadow.open(loadBundle(join(folder, 'a')));
    const [one, two] = answer(policy, observation) as [number, number];
    await shadow.see(observation, Float32Array.of(one, two));
    await shadow.see(observation, Float32Array.of(one + 0.06, two - 2 * differingBy));
    const { mean, largest, differingShare } = shadow.disagreement();
    const near = (found: number, wanted: number) => t.ok(Math.abs(found - wanted) < 1e-5, `${found} is ${wanted}`);
    near(mean[0]!, 0.03);
    near(mean[1]!, differingBy);
    near(largest[0]!, 0.06);
    near(largest[1]!, 2 * differingBy);
    t.equal(differingShare, 0.5);
    t.match(shadow.record(), { ticks: 2, refusedTicks: 0, missedByWork: 0 });
    t.ok(shadow.record().inferP99Us > 0);
    await shadow.close();
  },
);

t.test('answers that are no numbers are counted, and compared with nothing', async t => {
  const policies = new TrialPolicies(robot);
  policies.write(join(folder, 'nan'), policies.notANumber());
  const shadow = await Shadow.open(loadBundle(join(folder, 'nan')));
  t.match(shadow.disagreement(), { mean: [0, 0], differingShare: 0 });
  await shadow.see(new Float32Array(observation.length), Float32Array.of(0, 0));
  t.match(shadow.record(), { ticks: 1, refusedTicks: 1 });
  t.same(shadow.disagreement(), { mean: [0, 0], largest: [0, 0], differingShare: 0 });
  await shadow.close();
});
