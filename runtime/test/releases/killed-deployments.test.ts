/** `kill -9` at every step of a deployment, and two deployments at once. `npm run long` kills a thousand (test/support/kill-a-thousand.ts). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openStore } from '../../src/releases/release-store.js';
import { killDeployments } from '../support/deployment-kills.js';
import { killed, startBeside } from '../support/other-process.js';
import { quickFolder } from '../support/quick-folder.js';

t.test('fifty deployments that are killed leave a store that starts, and the next one succeeds', async t => {
  const counted = await killDeployments(quickFolder(t), 50);
  t.equal(counted.atSteps + counted.atMoments, 50);
  t.ok(counted.changed > 10, `${counted.changed} of them had changed what drives`);
  t.comment(JSON.stringify(counted));
});

t.test('of two that deploy at once one is told that the other does, and nothing is mixed', async t => {
  const folder = quickFolder(t);
  const store = join(folder, 'store');
  const child = await startBeside('hold-lock.js', store, 'a'.repeat(64));
  await t.rejects(killDeployments(folder, 1), { message: /ended by itself/ }, 'the second does not get in');
  t.same(readdirSync(join(store, 'releases')), []);
  await killed(child);
  const { atSteps } = await killDeployments(folder, 1, 2);
  t.equal(atSteps, 1);
  t.ok(openStore(store).current(), 'once the first is gone the second goes on');
});
