/** `kill -9` of a process that deploys and ends its trials by itself, and two deployments at once. A deployer and an agent: kit/test/targets/killed. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openStore } from '../../src/releases/release-store.js';
import { killDeployments } from '../support/deployment-kills.js';
import { killed, startBeside } from '../support/other-process.js';
import { quickFolder } from '../support/quick-folder.js';

t.test(
  'whoever is killed in a deployment or at the end of a trial leaves a store that starts, and the next one succeeds',
  async t => {
    const counted = await killDeployments(quickFolder(t), 20);
    t.match(counted, { kills: 20, atSteps: 16, atMoments: 4 });
    t.ok(counted.changed > 4, `${counted.changed} of them had changed what drives`);
    t.comment(JSON.stringify(counted));
  },
);

t.test('of two that deploy at once one is told that the other does, and nothing is mixed', async t => {
  const folder = quickFolder(t);
  const store = join(folder, 'store');
  const child = await startBeside('hold-lock.js', store, 'a'.repeat(64));
  await t.rejects(killDeployments(folder, 1), { message: /ended by itself/ }, 'the second does not get in');
  t.same(readdirSync(join(store, 'releases')), []);
  await killed(child);
  const { atSteps } = await killDeployments(folder, 1, { seed: 2 });
  t.equal(atSteps, 1);
  t.ok(openStore(store).current(), 'once the first is gone the second goes on');
});
