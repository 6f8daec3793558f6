/** Every check on the shipped robots, which pass, and on folders that were spoilt in one way each. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import t, { type Test } from 'tap';
import { checkRobot } from '../../src/checks/check-robot.js';

for (const name of readdirSync(shippedRobots))
  t.test(`${name} passes every check`, async t => {
    const robot = loadRobot(name);
    const checks = await checkRobot(robot);
    for (const { name: check, passed, detail } of checks) t.ok(passed, `${check}: ${detail}`);
    const sweeps = checks.filter(({ name: check }) => check.startsWith('sweep of '));
    t.same(
      sweeps.map(({ name: check }) => check.slice('sweep of '.length)),
      robot.spec.joints.map(joint => joint.name),
    );
  });

/** The checks of so101 with another spec and another scene. */
async function checksOf(t: Test, spec: (spec: RobotSpec) => void, scene: (text: string) => string = text => text) {
  const folder = join(t.testdir(), 'robot');
  cpSync(join(shippedRobots, 'so101'), folder, { recursive: true });
  const path = join(folder, 'robot.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as RobotSpec;
  spec(json);
  writeFileSync(path, JSON.stringify(json));
  const scenePath = join(folder, 'scene.xml');
  writeFileSync(scenePath, scene(readFileSync(scenePath, 'utf8')));
  return checkRobot(loadRobot(folder));
}

async function failed(...changes: Parameters<typeof checksOf>) {
  const checks = await checksOf(...changes);
  return checks.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail}`);
}

t.test('a frame that is a millimetre off is found, with how much and where', async t => {
  const found = await failed(t, ({ frames }) => {
    frames[3]!.translationM[0] += 0.001;
  });
  t.equal(found.length, 1);
  t.match(found[0], /^fingertip where MuJoCo's is: 1\.00 mm apart at (-?\d+°(, )?){6}: frames in robot\.json/);
});

t.test('a scene whose joint stops short of its range', async t => {
  const found = await failed(
    t,
    () => {},
    text => text.replace('range="-1.658 1.658"', 'range="-0.5 1.658"'),
  );
  t.match(
    found[0],
    "limits inside the servos' turn: wrist-flex turns from -29° to 95° in the scene, robot.json says -92° to 92°",
  );
  t.ok(found.some(line => /^sweep of wrist-flex: stands at -\d+° instead of -92°: it gives way|too weak/.test(line)));
});

t.test('a joint that is to be faster than its servo', async t => {
  const found = await failed(t, ({ joints }) => {
    joints[4]!.maxVelocity = 7;
  });
  t.equal(found[0], "speeds within the servos': wrist-roll 7 of 5.45 rad/s without load");
});

t.test('an arm that is too heavy for its servos: which, where, and what it does', async t => {
  const found = await failed(
    t,
    () => {},
    text => text.replace('type="sphere" size="0.006" mass="0.02"', 'type="sphere" size="0.006" mass="1.2"'),
  );
  t.match(
    found[0],
    /^servos hold the arm: too weak: shoulder-lift needs up to \d\.\d\d of 1\.91 N·m \(at .*; elbow-flex/,
  );
  t.ok(
    found.some(line =>
      /^sweep of .*: (?:meanwhile \S+ )?stands at .* touches .*, it pulls with all its 1\.97 N·m/.test(line),
    ),
    found.join('\n'),
  );
});

t.test(
  'a servo that bends under its load is told, where it still could pull: it is no matter of the joint that is swept',
  async t => {
    const checks = await checksOf(
      t,
      () => {},
      text => text.replace('<position name="shoulder-lift"', '<position name="shoulder-lift" kp="3"'),
    );
    const roll = checks.find(({ name }) => name === 'sweep of wrist-roll')!;
    t.match(roll, { passed: true, detail: /; meanwhile shoulder-lift gives way by \d+°/ });
  },
);

t.test('a joint that nothing lets through its range: what it touches, and where', async t => {
  // A shelf above the base, lower than the upper arm is long.
  const found = await failed(
    t,
    () => {},
    text =>
      text.replace(
        '<geom name="base"',
        '<geom name="shelf" type="box" contype="1" conaffinity="0" pos="0.05 0 0.25" size="0.2 0.2 0.06"/><geom name="base"',
      ),
  );
  t.ok(
    found.some(line =>
      /^sweep of shoulder-lift: no posture of the others leaves the way free: at -?\d+° \S+ touches shelf from home/.test(
        line,
      ),
    ),
    found.join('\n'),
  );
});

t.test('a workspace that no posture lies in', async t => {
  const found = await failed(t, spec => {
    spec.workspace = { floorM: 2, columnM: 0 };
  });
  t.match(
    found[0],
    /^goals can be drawn: none of 10000 random postures of so101 lies inside its workspace: lower floorM/,
  );
  t.match(found[1], /^servos hold the arm: none of 10000/);
  t.equal(found.length, 2);
});

t.test('a scene without a name that the simulation needs is an error, not a check', async t => {
  await t.rejects(
    failed(
      t,
      () => {},
      text => text.replace('site name="fingertip"', 'site name="tip"'),
    ),
    {
      code: 'E_SCENE_NAME',
      message: /no site named 'fingertip'/,
    },
  );
});

t.test('who stops it is listened to between two joints', async t => {
  const stop = new AbortController();
  const seen: string[] = [];
  const onProgress = (what: string) => {
    seen.push(what);
    if (what === 'sweep of shoulder') stop.abort();
  };
  await t.rejects(checkRobot(loadRobot('desk2'), { signal: stop.signal, onProgress }), {
    code: 'E_INTERRUPTED',
    exit: 'interrupt',
  });
  t.same(seen.slice(1), ['sweep of shoulder']);
});
