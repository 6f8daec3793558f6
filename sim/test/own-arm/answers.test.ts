import type { ArmAnswers } from '@sim2servo/models/arm-answers';
import t from 'tap';
import { chosenServos, rangeRad, restOf } from '../../src/own-arm/answers.js';
import { chainOf } from '../../src/own-arm/arm-plan.js';
import { servoModels } from '../../src/servo-models.js';
import { fourJoints, plan } from './own-arms.js';

const rounded = (values: readonly number[]) => values.map(value => Number(value.toFixed(4)));

t.test('millimetres and degrees become a chain of joints, and a gripper that hangs on the hand', t => {
  const { joints, fingertip, loadKg, baseGeoms } = plan();
  t.same(
    joints.map(({ name, parent, axis, originM }) => [name, parent, axis, originM]),
    [
      ['pan', -1, [0, 0, 1], [0.01, 0, 0.05]],
      ['lift', 0, [0, 1, 0], [0, 0, 0.045]],
      ['elbow', 1, [0, -1, 0], [0, 0, 0.11]],
      ['wrist-roll', 2, [1, 0, 0], [0.1, 0, 0]],
      ['gripper', 3, [0, 0, 1], [0.021, 0.0015, 0]],
    ],
  );
  t.same(fingertip, { parent: 3, offsetM: [0.07, 0.005, 0] });
  t.same(chainOf({ joints, fingertip }), [0, 1, 2, 3]);
  t.same(rounded(joints[0]!.rangeRad), [-1.7453, 1.7453]);
  t.equal(loadKg, 0.02);
  t.equal(baseGeoms.length, 2, 'a column, and the first servo on it');
  t.end();
});

t.test('a joint rests at 0, at the middle of a range that 0 is not well inside of, or where it is told to', t => {
  t.equal(restOf([-1, 2], undefined), 0);
  t.equal(restOf([0, 2], undefined), 1);
  t.equal(restOf([-0.1, 2], undefined), 0.95, 'a rest at the end would have nowhere to go');
  t.equal(restOf([-1, 2], 45).toFixed(6), (Math.PI / 4).toFixed(6));
  t.end();
});

t.test('servos are the usual ones of the bus, with ids in a row, unless a joint says otherwise', t => {
  const joints = [{ name: 'a' }, { name: 'b', servo: 'xl330-m288', id: 9 } as const, { name: 'c' }];
  t.same(chosenServos('dynamixel', undefined, joints), [
    { servo: 'xl430-w250', id: 1 },
    { servo: 'xl330-m288', id: 9 },
    { servo: 'xl430-w250', id: 3 },
  ]);
  t.same(chosenServos('kitlink', undefined, [{ name: 'a' }, { name: 'b' }]), [
    { servo: 'mg996r', id: 0 },
    { servo: 'mg996r', id: 1 },
  ]);
  t.throws(() => chosenServos('feetech', undefined, joints), {
    code: 'E_ARM_ANSWERS',
    message: "joint 'b' has a xl330-m288, which does not hang on a feetech bus",
    hint: 'take one of: sts3215',
  });
  t.end();
});

t.test('a link weighs what it is said to, with the servo that it carries', t => {
  const weighed: ArmAnswers = { joints: [{ ...fourJoints.joints[1]!, linkG: 200 }, { ...fourJoints.joints[2]! }] };
  const rodKg = (answers: ArmAnswers) => Number(plan(answers).joints[0]!.link.geoms[0]!.mass);
  t.equal(rodKg(weighed).toFixed(3), (0.2 - servoModels.sts3215.massKg).toFixed(3));
  t.equal(
    rodKg({ joints: fourJoints.joints.slice(1, 3) }).toFixed(4),
    (0.45 * 0.11).toFixed(4),
    'else as a printed rod',
  );
  t.end();
});

t.test('a range has its lower end first', t => {
  t.throws(() => rangeRad('pan', [90, -90]), { code: 'E_ARM_ANSWERS', message: "joint 'pan' goes from 90° to -90°" });
  t.same(
    rangeRad('pan', [-90, 180]).map(rad => rad.toFixed(5)),
    ['-1.57080', '3.14159'],
  );
  t.end();
});
