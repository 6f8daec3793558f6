import t from 'tap';
import { armAnswersSchema, armDraftSchema, modelAnswersSchema, ownBuses } from '../src/arm-answers.js';

const joint = { name: 'pan', axis: 'z', rangeDeg: [-90, 90], offsetMm: [0, 0, 50] };

/** Where the first complaint is. */
const complaint = (schema: typeof armAnswersSchema | typeof modelAnswersSchema, value: object) =>
  schema.safeParse(value).error?.issues[0]?.path.join('.');

t.test('little has to be said', t => {
  t.same(armAnswersSchema.parse({ joints: [joint] }), { baseMm: [0, 0, 60], joints: [joint] });
  t.same(modelAnswersSchema.parse({}), { fingertipMm: [0, 0, 0], fixed: [], joints: [] });
  t.ok(armDraftSchema.safeParse({}).success, 'a file may leave the joints to be asked for');
  t.same(ownBuses, ['kitlink', 'feetech', 'dynamixel']);
  t.end();
});

t.test('what makes no sense is named by its path', t => {
  for (const [path, change] of [
    ['joints', { joints: [] }],
    ['joints.0.axis', { joints: [{ ...joint, axis: 'up' }] }],
    ['joints.0.rangeDeg.1', { joints: [{ ...joint, rangeDeg: [0, Number.POSITIVE_INFINITY] }] }],
    ['joints.0.offsetMm.0', { joints: [{ ...joint, offsetMm: [Number.NaN, 0, 0] }] }],
    ['joints.0.servo', { joints: [{ ...joint, servo: 'sg90' }] }],
    ['joints.0.id', { joints: [{ ...joint, id: 253 }] }],
    ['joints.0.linkG', { joints: [{ ...joint, linkG: 0 }] }],
    ['bus', { joints: [joint], bus: 'mqtt' }],
    ['loadG', { joints: [joint], loadG: -1 }],
    ['gripper.rangeDeg', { joints: [joint], gripper: { axis: 'z' } }],
    ['', { joints: [joint], colour: 'red' }],
  ] as const)
    t.equal(complaint(armAnswersSchema, change), path, path);
  t.equal(complaint(modelAnswersSchema, { joints: [{ rangeDeg: [0, 1] }] }), 'joints.0.name');
  t.equal(complaint(modelAnswersSchema, { fingertip: '' }), 'fingertip');
  t.end();
});
