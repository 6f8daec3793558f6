import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadRobot, servosInOrder, shippedRobotOn, shippedRobots, specDigest } from '../src/robot-folder.js';
import { desk2, desk2Json, desk2Site, desk2SiteJson, desk2With } from './arms.js';

/** A robot folder of desk2's files, changed where a test wants it wrong. */
function folder(t: Test, robot: unknown = desk2Json(), site: unknown = desk2SiteJson()): string {
  return t.testdir({ 'robot.json': JSON.stringify(robot), 'site.json': JSON.stringify(site) });
}

t.test('a shipped robot is found by its name, with its scene', async t => {
  const robot = loadRobot('desk2');
  t.equal(robot.spec.name, 'desk2');
  t.equal(robot.folder, join(shippedRobots, 'desk2'));
  t.ok(existsSync(robot.scenePath), robot.scenePath);
  t.equal(robot.site.bus.kind, 'kitlink');
});

t.test('each shipped robot is the one on its kind of bus', async t => {
  for (const [kind, name] of Object.entries(shippedRobotOn)) t.equal(loadRobot(name).site.bus.kind, kind, name);
  t.same(Object.values(shippedRobotOn).sort(), readdirSync(shippedRobots).sort());
});

t.test('a robot is found by the path of its folder, too', async t => {
  const path = folder(t);
  const robot = loadRobot(path);
  t.equal(robot.folder, path);
  t.equal(robot.scenePath, join(path, 'scene.xml'));
});

t.test('a name that is no robot is an error that lists those there are', async t => {
  for (const name of ['desk9', 'constructor', '../robots', ''])
    t.throws(() => loadRobot(name), { code: 'E_ROBOT_UNKNOWN', exit: 'usage', hint: /desk2/ }, name);
});

t.test('a folder without a site is an error that names the file', async t => {
  const path = t.testdir({ 'robot.json': JSON.stringify(desk2Json()) });
  t.throws(() => loadRobot(path), { code: 'E_FILE_READ', message: /site\.json/ });
});

t.test('files that do not fit their schemas are errors with file and path', async t => {
  t.throws(() => loadRobot(folder(t, { ...desk2Json(), reachM: -1 })), {
    code: 'E_FILE_SCHEMA',
    message: /robot .*robot\.json .*\n {2}reachM: /,
  });
  t.throws(() => loadRobot(folder(t, desk2Json(), { ...desk2SiteJson(), servos: [] })), {
    code: 'E_FILE_SCHEMA',
    message: /site .*site\.json .*\n {2}servos: /,
  });
});

t.test('a joint without a servo is an error', async t => {
  const site = desk2SiteJson();
  site.servos.pop();
  t.throws(() => loadRobot(folder(t, desk2Json(), site)), {
    code: 'E_SITE_JOINT',
    message: /has no servo for joint 'elbow'/,
  });
});

t.test('a servo without a joint is an error that lists the joints', async t => {
  const site = desk2SiteJson();
  site.servos.push({ ...site.servos[0]!, id: 7, joint: 'wrist' });
  t.throws(() => loadRobot(folder(t, desk2Json(), site)), {
    code: 'E_SITE_JOINT',
    message: /servos\[2\]\.joint: robot desk2 has no joint 'wrist'/,
    hint: /shoulder, elbow/,
  });
});

t.test('a range that the calibrated angles do not hold is an error, at either end', async t => {
  for (const angleRad of [
    [-1.4, 1.5708],
    [-1.5708, 1.4],
  ] as [number, number][]) {
    const site = desk2SiteJson();
    site.servos[0]!.angleRad = angleRad;
    t.throws(() => loadRobot(folder(t, desk2Json(), site)), {
      code: 'E_SITE_RANGE',
      message: /servos\[0\]\.angleRad .* does not hold the range \[-1\.5,1\.5\] of joint 'shoulder'/,
    });
  }
});

t.test('the digest is of the content: formatting, the order of keys and $schema do not count', async t => {
  const reversed = Object.fromEntries(Object.entries(desk2Json()).reverse());
  const { specSha256 } = loadRobot('desk2');
  t.equal(loadRobot(folder(t, reversed)).specSha256, specSha256);
  t.equal(loadRobot(folder(t, { ...desk2Json(), $schema: 'elsewhere.json' })).specSha256, specSha256);
  t.match(specSha256, /^[0-9a-f]{64}$/);
});

t.test('whatever a policy may depend on changes the digest', async t => {
  const digests = [
    desk2,
    desk2With({ name: 'desk3' }),
    desk2With({ reachM: 0.23 }),
    desk2With({ actionHistory: 4 }),
    desk2With({ action: { kind: 'velocity', scale: 0.06 } }),
    desk2With({ safety: { ...desk2.safety, softLimit: 0.09 } }),
    desk2With({ observation: [...desk2.observation].reverse() }),
    desk2With({ joints: desk2.joints.map(joint => ({ ...joint, maxVelocity: 5 })) }),
  ].map(specDigest);
  t.equal(new Set(digests).size, digests.length);
});

t.test('recalibrating or replugging does not change it', async t => {
  const site = desk2SiteJson();
  site.bus.port = '/dev/ttyACM3';
  site.servos[0]!.offsetRad = 0.02;
  t.equal(loadRobot(folder(t, desk2Json(), site)).specSha256, loadRobot('desk2').specSha256);
});

t.test('servos come in the order of the joints, whatever their order on the bus', async t => {
  const reversed = { ...desk2Site, servos: [...desk2Site.servos].reverse() };
  t.same(
    servosInOrder(desk2, reversed).map(servo => servo.joint),
    ['shoulder', 'elbow'],
  );
});

t.test('a counted servo must be able to reach its joint’s whole range', async t => {
  const servo = { kind: 'feetech', model: 'sts3215', direction: 1 } as const;
  const site = (zeroCount: number) => ({
    format: 'sim2servo/site@1' as const,
    bus: { kind: 'feetech' as const },
    servos: [
      { ...servo, joint: 'shoulder', id: 1, zeroCount: 2048 },
      { ...servo, joint: 'elbow', id: 2, zeroCount },
    ],
  });
  t.doesNotThrow(() => loadRobot(folder(t, desk2Json(), site(1000) as unknown as typeof desk2Site)));
  t.throws(() => loadRobot(folder(t, desk2Json(), site(3000) as unknown as typeof desk2Site)), {
    code: 'E_SITE_RANGE',
    message: /servos\[1\]\.zeroCount 3000 gives counts 3065 to 4695, outside 0 to 4095, over the range/,
  });
});
