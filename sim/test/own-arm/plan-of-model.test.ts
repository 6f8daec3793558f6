import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelAnswers, modelAnswersSchema } from '@sim2servo/models/arm-answers';
import { fingertip } from '@sim2servo/models/kinematics';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { checkRobot } from '../../src/checks/check-robot.js';
import { MujocoWorld } from '../../src/mujoco-world.js';
import { type ModelTree, readModelFile } from '../../src/own-arm/model-file.js';
import { fingertipsOf, planOfModel } from '../../src/own-arm/plan-of-model.js';
import { writeArm } from '../../src/own-arm/write-arm.js';
import { mjcf, urdf } from './own-arms.js';

async function treeOf(t: Test, text: string): Promise<ModelTree> {
  const path = join(t.testdir(), 'arm.xml');
  writeFileSync(path, text);
  return readModelFile(path);
}

const planned = (tree: ModelTree, answers: ModelAnswers = {}, bus: 'feetech' | 'dynamixel' = 'feetech') =>
  planOfModel(tree, modelAnswersSchema.parse(answers), { name: 'own', bus, source: 'arm.xml' });

const massKg = (world: MujocoWorld, body: string): number => world.model.body_mass[world.id('body', body)];

t.test('the shipped SO-101, through it and back: joints, ranges, masses and the fingertip are the same', async t => {
  const shipped = loadRobot('so101');
  const folder = join(t.testdir(), 'again');
  const { robot } = await writeArm(folder, planned(await readModelFile(shipped.scenePath)));
  const { joints, frames } = robot.spec;
  const [before, after] = [await MujocoWorld.load(shipped.scenePath), await MujocoWorld.load(robot.scenePath)];
  t.teardown(() => [before, after].map(world => world.dispose()));
  t.same(
    joints.map(({ name }) => name),
    shipped.spec.joints.map(({ name }) => name),
  );
  t.same(
    frames.map(({ name }) => name),
    shipped.spec.frames.map(({ name }) => name),
  );
  for (const { name, range } of joints) {
    const id = before.id('joint', name);
    t.same(range, [before.model.jnt_range[2 * id], before.model.jnt_range[2 * id + 1]], name);
  }
  for (const body of ['shoulder', 'upper-arm', 'lower-arm', 'wrist', 'hand', 'moving-jaw', 'payload'])
    t.ok(Math.abs(massKg(before, body) - massKg(after, body)) < 2e-6, body);
  const random = new Random(1);
  const [a, b] = [new Float64Array(3), new Float64Array(3)];
  for (let i = 0; i < 100; i++) {
    const position = joints.map(({ range }) => random.uniform(...range));
    fingertip(shipped.spec, position, a);
    fingertip(robot.spec, position, b);
    t.ok(Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!) < 5e-6);
  }
  // What gravity asks of each servo says that masses lie where they lay.
  for (const world of [before, after]) {
    world.views.qpos.fill(0.3);
    world.forward();
  }
  for (const [dof, torqueNm] of before.views.qfrcBias.entries())
    t.ok(Math.abs(torqueNm - after.views.qfrcBias[dof]!) < 1e-4, `${torqueNm} N·m`);
});

for (const [kind, text, tip] of [
  ['URDF', urdf, 'tool0'],
  ['MJCF', mjcf, 'tcp'],
] as const)
  t.test(`an arm from a ${kind}: it loads, and every check passes`, async t => {
    const tree = await treeOf(t, text);
    const { robot } = await writeArm(join(t.testdir(), 'own'), planned(tree, { fingertip: tip }));
    for (const { name, passed, detail } of await checkRobot(robot)) t.ok(passed, `${name}: ${detail}`);
    t.ok(
      robot.spec.frames.every(({ axis }) => axis.every(part => Math.abs(Math.abs(part) - 0.5) === 0.5)),
      'axes are clean',
    );
  });

t.test('frames, fixed links, what hangs on the hand, and what had to be assumed', async t => {
  const { joints, fingertip: tip, notes } = planned(await treeOf(t, urdf), { fingertip: 'tool0' });
  t.same(
    joints.map(({ name, originM, axis }) => [name, originM, axis]),
    [
      ['base-yaw', [0, 0, 0.05], [0, 0, 1]],
      ['shoulder', [0, 0, 0.06], [1, 0, 0]],
      ['elbow', [0, 0.12, 0], [1, 0, 0]],
      ['wrist', [0, 0.1, 0.02], [1, 0, 0]],
    ],
  );
  t.same(tip, { parent: 3, offsetM: [0.01, 0.06, 0] });
  const hand = joints[3]!.link.inertial!;
  t.equal(hand.massKg, 0.04, 'the tool is one with the hand');
  t.same(hand.comM, [0.0025, 0.03, 0], '(30 g at 20 mm, 10 g at 60 mm)');
  t.same(joints[3]!.rangeRad, [-3, 3]);
  t.same(notes, [
    'names of joints here: base-yaw (Base_Yaw), shoulder (Shoulder), elbow (Elbow), wrist (Wrist)',
    "link 'fore' has no mass in the model: that of a printed rod is taken",
    "joint 'Wrist' has no range in the model: −3 … 3 rad is taken",
    'meshes are left out: base, turret',
    'a load of 20 g at the fingertip is added',
  ]);
  const other = planned(await treeOf(t, mjcf), { fingertip: 'tcp', loadG: 50 });
  t.same(
    other.joints.map(({ name, parent }) => [name, parent]),
    [
      ['yaw', -1],
      ['pitch', 0],
      ['elbow', 1],
      ['grip', 2],
    ],
    'two joints of one body are two links',
  );
  t.equal(other.loadKg, 0.05);
  t.equal(other.joints[1]!.link.inertial!.massKg, 0.1, 'the plate is one with the upper arm');
});

t.test('what a model does not know can be said by joint, by either of its names', async t => {
  const { joints } = planned(
    await treeOf(t, urdf),
    {
      fingertip: 'tool0',
      servo: 'xl330-m288',
      joints: [
        { name: 'Shoulder', servo: 'xl430-w250', id: 7 },
        { name: 'wrist', rangeDeg: [-90, 90], homeDeg: 30 },
      ],
    },
    'dynamixel',
  );
  t.same(
    joints.map(({ servo, id }) => [servo, id]),
    [
      ['xl330-m288', 1],
      ['xl430-w250', 7],
      ['xl330-m288', 3],
      ['xl330-m288', 4],
    ],
  );
  t.same(
    [...joints[3]!.rangeRad, joints[3]!.homeRad].map(rad => Number(rad.toFixed(3))),
    [-1.571, 1.571, 0.524],
  );
});

const hinge = (name: string, inner = '') => `<body name="${name}"><joint name="${name}" axis="0 1 0" range="-60 60"/>
  <geom type="capsule" fromto="0 0 0 0.1 0 0" size="0.01"/>${inner}</body>`;
const site = '<site name="fingertip" pos="0.1 0 0"/>';
const model = (bodies: string, more = '') => `<mujoco><worldbody>${bodies}</worldbody>${more}</mujoco>`;

t.test('what is no chain of hinges is refused in words, with what to do', async t => {
  const slide = hinge(
    'a',
    `<body name="rail"><joint name="rail" type="slide" axis="1 0 0" range="0 1"/><geom size=".01"/>${site}</body>`,
  );
  for (const [what, text, message, hint, answers] of [
    [
      'no joints',
      model(`<body name="a"><geom size="0.1"/>${site}</body>`),
      /no joint that a servo could turn/,
      /model of an arm/,
      {},
    ],
    ['a slide', model(slide), "joint 'rail' is a slide joint, and a servo turns a hinge", /--fixed rail/, {}],
    [
      'a free base',
      model(`<body name="a"><freejoint name="f"/><geom size=".1"/>${hinge('b', site)}</body>`),
      /'f' is a free joint/,
      /what it stands on/,
      {},
    ],
    [
      'two arms',
      model(`${hinge('a', site)}${hinge('b')}`),
      /joint 'b' neither moves the fingertip nor hangs on the hand/,
      /--fixed b/,
      {},
    ],
    [
      'a finger of two joints',
      model(hinge('a', `${site}${hinge('b', hinge('c'))}`)),
      /joint 'c' neither/,
      /--fixed c/,
      {},
    ],
    [
      'a closed chain',
      model(hinge('a', `${site}${hinge('b')}`), '<equality><weld body1="b"/></equality>'),
      /closes a chain/,
      /constraint/,
      {},
    ],
    [
      'a joint that follows',
      model(hinge('a', `${site}${hinge('b')}`), '<equality><joint joint1="b" joint2="a"/></equality>'),
      /ties b to a/,
      /--fixed b/,
      {},
    ],
    ['no fingertip', model(hinge('a')), /does not say which place is the fingertip/, /--fingertip, such as a/, {}],
    [
      'another fingertip',
      model(hinge('a', site)),
      /no site or body 'tcp'/,
      /such as fingertip, a/,
      { fingertip: 'tcp' },
    ],
    ['two of a name', model(hinge('a', hinge('A', site))), /two joints would be called 'a'/, /rename/, {}],
    [
      'no such fixed joint',
      model(hinge('a', site)),
      /no joint 'x' that could stay fixed/,
      /its joints are: a/,
      { fixed: ['x'] },
    ],
    [
      'no such joint',
      model(hinge('a', site)),
      /no joint 'x' that moves/,
      /its joints are: a/,
      { joints: [{ name: 'x' }] },
    ],
  ] as const) {
    const tree = await treeOf(t, text);
    t.throws(() => planned(tree, answers as ModelAnswers), { code: 'E_ARM_ANSWERS', message, hint }, what);
  }
});

t.test("a model without a place for the fingertip: so far from one that it has, in the base's axes", async t => {
  const tree = await treeOf(t, urdf);
  const { fingertip: tip } = planned(tree, { fingertip: 'hand', fingertipMm: [10, 60, -5] });
  t.same(tip, { parent: 3, offsetM: [0.01, 0.06, -0.005] });
});

t.test('a joint that stays fixed is no joint, whatever it was', async t => {
  const rail = `<body name="rail"><joint name="rail" type="slide" axis="1 0 0" range="0 1"/><geom size=".01"/>${site}</body>`;
  const { joints, fingertip: tip } = planned(await treeOf(t, model(hinge('a', rail))), { fixed: ['rail'] });
  t.same([joints.map(({ name }) => name), tip], [['a'], { parent: 0, offsetM: [0.1, 0, 0] }]);
  const tied = model(hinge('a', `${site}${hinge('b')}`), '<equality><joint joint1="b" joint2="a"/></equality>');
  t.equal(planned(await treeOf(t, tied), { fixed: ['b'] }).joints.length, 1);
});

t.test('fingertips to choose from: sites, bodies that carry nothing, the others', async t => {
  t.same(fingertipsOf(await treeOf(t, urdf)), ['tool0', 'turret', 'upper', 'fore', 'hand']);
  t.same(fingertipsOf(await treeOf(t, mjcf)), ['tcp', 'plate', 'jaw', 'shoulder', 'forearm']);
});
