/** The policies that ship with the kit are what their manifests say: for the shipped robots, and as exact as they are said to be. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { evaluatePolicy } from '../src/evaluate.js';

const targets = 60;
/** Mean over the reachable set, from home, on arms as training draws them. */
const permittedM = 0.015;

for (const name of readdirSync(shippedPolicies)) {
  const folder = join(shippedPolicies, name);
  t.test(`${name}: a bundle for its robot, at the rate and for the task in its name`, async t => {
    const [robotName, task, rate] = name.split('-') as [string, string, string];
    const { manifest } = loadBundle(folder, { robot: loadRobot(robotName), trustedKeys: [] });
    t.equal(manifest.task, task);
    t.equal(`${manifest.controlRateHz}hz`, rate);
  });

  t.test(`${name}: within 15 mm of held-out targets on the mean, from home, on arms that differ`, async t => {
    const { meanErrorM, targets: results } = await evaluatePolicy({ from: folder, targets, arm: 'randomised' });
    const sorted = results.map(result => 1000 * result.errorM).sort((a, b) => a - b);
    t.comment(
      `mean ${(1000 * meanErrorM).toFixed(1)} mm, median ${sorted[targets / 2]!.toFixed(1)}, worst ${sorted.at(-1)!.toFixed(1)}`,
    );
    t.ok(meanErrorM < permittedM, `mean ${(1000 * meanErrorM).toFixed(1)} mm`);
  });
}
