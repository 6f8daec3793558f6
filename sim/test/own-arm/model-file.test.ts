import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ModelTree, readModelFile } from '../../src/own-arm/model-file.js';
import { mjcf, urdf } from './own-arms.js';

function read(t: Test, text: string, name = 'arm.xml'): Promise<ModelTree> {
  const path = join(t.testdir(), name);
  writeFileSync(path, text);
  return readModelFile(path);
}

const near = (t: Test, found: readonly number[], wanted: readonly number[], what: string) =>
  t.ok(
    found.length === wanted.length && found.every((value, i) => Math.abs(value - wanted[i]!) < 1e-7),
    `${what}: ${found.join(' ')}`,
  );

t.test("a URDF without its meshes: joints, places and masses in the base's axes, fixed links kept apart", async t => {
  const { bodies, joints, geoms, leftOut, ties } = await read(t, urdf, 'arm.urdf');
  t.same(
    joints.map(({ name, kind, range }) => [name, kind, range]),
    [
      ['Base_Yaw', 'hinge', [-2, 2.2]],
      ['Shoulder', 'hinge', [-0.3, 2.2]],
      ['Elbow', 'hinge', [-2.2, 0.2]],
      ['Wrist', 'hinge', undefined],
    ],
  );
  // The turret's frame is turned by 90° about z, the shoulder's lies on its side: its z is the base's x.
  near(t, joints[1]!.axis, [1, 0, 0], 'axis of the shoulder');
  near(t, joints[2]!.anchorM, [0, 0.12, 0.11], 'the elbow');
  const tool = bodies.find(({ name }) => name === 'tool0')!;
  t.equal(bodies[tool.parent]!.name, 'hand');
  near(t, tool.positionM, [0.01, 0.28, 0.13], 'the tool');
  t.equal(bodies.find(({ name }) => name === 'upper')!.massKg, 0.1);
  t.ok(bodies.find(({ name }) => name === 'fore')!.massKg < 1e-6, 'what has no weight is next to nothing');
  t.same(
    geoms.map(({ type, body }) => [type, bodies[body]!.name]),
    [['cylinder', 'upper']],
  );
  t.same([leftOut, ties], [['base', 'turret'], []]);
});

t.test('an MJCF whose mesh and picture are not there: what is made of primitives is read', async t => {
  const { bodies, joints, geoms, sites, leftOut } = await read(t, mjcf);
  t.same(
    joints.map(({ name, body }) => [name, bodies[body]!.name]),
    [
      ['yaw', 'shoulder'],
      ['pitch', 'shoulder'],
      ['elbow', 'forearm'],
      ['grip', 'jaw'],
    ],
  );
  near(t, joints[1]!.axis, [0, 1, 0], 'the pitch axis, as the body is turned');
  near(t, joints[1]!.anchorM, [0, 0, 0.11], 'its anchor');
  near(t, joints[0]!.range!, [(-110 * Math.PI) / 180, (110 * Math.PI) / 180], 'degrees');
  near(t, sites[0]!.positionM, [-0.01, 0, 0.33], 'the site');
  t.same(
    geoms.map(({ type }) => type),
    ['box', 'capsule', 'cylinder', 'ellipsoid', 'sphere'],
  );
  t.same(leftOut, ['shell']);
});

t.test('what is named nowhere has a number, and bodies that are tied together are told', async t => {
  const { bodies, joints, ties } = await read(
    t,
    `<mujoco><worldbody>
      <body><joint axis="0 1 0"/><geom size=".1"/><body name="b"><joint name="c" axis="0 1 0"/><geom size=".1"/></body></body>
    </worldbody><equality><joint joint1="c"/><weld body1="b"/></equality></mujoco>`,
  );
  t.same(
    bodies.map(({ name }) => name),
    ['world', '#1', 'b'],
  );
  t.same(
    joints.map(({ name }) => name),
    ['#0', 'c'],
  );
  t.same(ties, [['c'], []]);
});

t.test('what is no model is refused with the file and what MuJoCo says', async t => {
  for (const [what, text, message] of [
    ['half a tag', '<robot name="x"><link', /can't read .*arm.xml: .*XML/],
    ['nothing', '', /can't read/],
    ['numbers that are none', urdf.replace('0.12 0 0', 'nan 0 0'), /'fore' has a number that is none/],
    ['a mass that is none', urdf.replace('value="0.1"', 'value="nan"'), /can't read .*mass.* 'upper'/],
  ] as const)
    await t.rejects(read(t, text), { code: 'E_ARM_MODEL', exit: 'usage', message }, what);
  await t.rejects(readModelFile('/nowhere/arm.urdf'), { code: 'E_ARM_MODEL', message: /ENOENT/ });
  await t.rejects(read(t, '<robot xmlns:xacro="http://x"><xacro:include'), {
    code: 'E_ARM_MODEL',
    hint: /expand it first/,
  });
});
