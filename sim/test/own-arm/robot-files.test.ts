import type { ArmAnswers } from '@sim2servo/models/arm-answers';
import { observationSize } from '@sim2servo/models/observe';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { type RobotSpec, robotSpecSchema } from '@sim2servo/models/robot-spec';
import { servoScale } from '@sim2servo/models/servo-scale';
import type { CountedServo, HobbyServo } from '@sim2servo/models/site';
import t from 'tap';
import { jsonText, robotJsonOf, siteOf } from '../../src/own-arm/robot-files.js';
import { fourJoints, plan } from './own-arms.js';

const specOf = (answers?: ArmAnswers): RobotSpec => robotSpecSchema.parse(robotJsonOf(plan(answers)).json);
const [pan, lift, elbow] = fourJoints.joints as [
  ArmAnswers['joints'][0],
  ArmAnswers['joints'][0],
  ArmAnswers['joints'][0],
];

t.test('robot.json has the chain, the reach of the stretched arm and the terms of the shipped arms', t => {
  const spec = specOf();
  t.same(
    spec.frames.map(({ name, parent, joint }) => [name, parent, joint]),
    [
      ['pan-link', undefined, 'pan'],
      ['lift-link', 'pan-link', 'lift'],
      ['elbow-link', 'lift-link', 'elbow'],
      ['wrist-roll-link', 'elbow-link', 'wrist-roll'],
      ['fingertip', 'wrist-roll-link', undefined],
    ],
  );
  // 45 + 110 + 100 + |70, 5| mm
  t.equal(spec.reachM, 0.33);
  t.same(spec.observation, loadRobot('so101').spec.observation);
  t.equal(observationSize(spec), 3 * 5 + 3 * 3 + 2 * 5);
  t.same(spec.workspace, { floorM: 0.015, columnM: 0.05 });
  t.same(
    spec.joints.map(({ home }) => Number(home.toFixed(3))),
    [0, 0, 0, 2.356, 0.611],
  );
  t.ok(spec.joints.every(({ maxVelocity }) => maxVelocity === 3));
  t.end();
});

t.test(
  'a flat arm has no workspace, and one whose fingertip hardly ever clears the base none either, which is said',
  t => {
    const flat = { joints: [pan, { ...pan, name: 'elbow', offsetMm: [80, 0, 0] as [number, number, number] }] };
    t.equal(specOf(flat).workspace, undefined);
    const hanging = { ...fourJoints, baseMm: [0, 0, -400] as [number, number, number], joints: [pan, lift] };
    t.equal(specOf(hanging).workspace?.floorM, -0.4, 'the floor is never above the base');
    const pole = { joints: [{ ...lift, rangeDeg: [-5, 5] as [number, number] }] };
    const { json, notes } = robotJsonOf(plan(pole));
    t.notOk('workspace' in json);
    t.match(notes[0], /hardly any posture .* no workspace/);
    t.end();
  },
);

t.test('0 rad is the middle of the turn where the range allows it, else the middle of the range is', t => {
  const servos = siteOf(plan()).servos as CountedServo[];
  t.same(
    servos.map(({ id, zeroCount }) => [id, zeroCount]),
    [
      [1, 2048],
      [2, 2048],
      [3, 2048],
      [4, 511],
      [5, 2048],
    ],
  );
  for (const [j, servo] of servos.entries())
    for (const angle of plan().joints[j]!.rangeRad) {
      const counts = servoScale(servo).countsOfAngle(angle);
      t.ok(counts >= -0.5 && counts <= 4095.5, `${servo.joint} ${counts}`);
    }
  t.end();
});

t.test('a hobby servo has its half turn about 0, or about the middle of a range that lies elsewhere', t => {
  const joints = [pan, { ...elbow, rangeDeg: [10, 150] as [number, number] }].map(joint => ({ ...joint }));
  joints[0]!.rangeDeg = [-80, 80];
  const servos = siteOf(plan({ joints }, 'kitlink')).servos as HobbyServo[];
  const degrees = servos.map(({ angleRad }) => angleRad.map(angle => Math.round((angle * 180) / Math.PI)));
  t.same(degrees, [
    [-90, 90],
    [-10, 170],
  ]);
  t.same(
    servos.map(({ id }) => id),
    [0, 1],
  );
  t.end();
});

t.test('a range that no turn of the servo holds is refused with what would', t => {
  const wide = (rangeDeg: [number, number]) => plan({ joints: [{ ...lift, rangeDeg }] });
  t.throws(() => siteOf(wide([-200, 170])), {
    code: 'E_ARM_ANSWERS',
    message: "joint 'lift' goes from -200° to 170°, 370.0° in all, and a sts3215 turns 359.9°",
    hint: 'narrow it, as to -171° … 171° (--from: --range lift=LOW..HIGH)',
  });
  t.throws(() => siteOf(wide([300, 400])), { code: 'E_ARM_ANSWERS', hint: 'measure its angles from another zero' });
  t.throws(() => siteOf(plan({ joints: [{ ...lift, rangeDeg: [-100, 100] }] }, 'kitlink')), {
    message: /200\.0° in all, and a mg996r turns 180\.0°/,
  });
  t.end();
});

t.test('an arm without length, and two joints of one name, are refused', t => {
  t.throws(() => robotJsonOf(plan({ joints: [{ ...lift, offsetMm: [0, 0, 0] }] })), {
    code: 'E_ARM_ANSWERS',
    message: 'the fingertip lies on the axis of the first joint',
  });
  t.throws(() => robotJsonOf(plan({ joints: [lift, lift] })), {
    code: 'E_FILE_SCHEMA',
    message: /'lift' stands twice/,
  });
  t.throws(() => robotJsonOf(plan({ joints: [{ ...lift, homeDeg: 170 }] })), {
    message: /home: must lie inside range/,
  });
  t.end();
});

t.test('the file names its schema, and a list of numbers takes one line', t => {
  const text = jsonText({ range: [-1, 1], list: [{ a: ['x', 'y'] }] }, '/a/b', '/a/schemas/robot.schema.json');
  t.same(JSON.parse(text), { $schema: '../schemas/robot.schema.json', range: [-1, 1], list: [{ a: ['x', 'y'] }] });
  t.match(text, '"range": [-1, 1]');
  t.match(text, '"a": ["x", "y"]');
  t.end();
});
