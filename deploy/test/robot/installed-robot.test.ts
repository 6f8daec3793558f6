import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { currentPolicy, installedRobot } from '../../src/robot/installed-robot.js';
import { robotPlaces } from '../../src/robot/robot-places.js';
import { deployShipped, installedRoot } from '../support/installed.js';

t.test('the installed robot and the policy that its store names', async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  const { robot: folder, store } = robotPlaces(root);
  const robot = installedRobot(folder);
  t.equal(robot.spec.name, 'so101');
  t.throws(() => currentPolicy(robot, store), { code: 'E_POLICY_NONE', hint: /kit deploy/ });
  const { digest, release } = await deployShipped(root);
  t.equal(currentPolicy(robot, store).digest, digest);
  t.throws(() => currentPolicy(installedRobotOf('desk2', folder), store), { code: /E_BUNDLE_ROBOT|E_BUNDLE_SPEC/ });
  writeFileSync(join(release, 'policy.onnx'), 'altered');
  t.throws(() => currentPolicy(robot, store), { code: 'E_BUNDLE_DIGEST' }, 'what was altered is not run');
  rmSync(join(folder, 'robot.json'));
  t.throws(() => installedRobot(folder), { code: 'E_NOT_PROVISIONED', hint: /kit provision/ });
});

function installedRobotOf(name: string, folder: string) {
  const robot = installedRobot(folder);
  return { ...robot, spec: { ...robot.spec, name } };
}
