import fc from 'fast-check';
import t from 'tap';
import { alongFirstFrame, fingertip, fingertipErrorM, insideWorkspace, movesFingertip } from '../src/kinematics.js';
import { loadRobot } from '../src/robot-folder.js';
import type { RobotSpec } from '../src/robot-spec.js';
import { desk2, desk2With, spatialArm } from './arms.js';

const planar = desk2;
const spatial = spatialArm();
const quarter = Math.PI / 2;

function at(spec: RobotSpec, ...position: number[]): number[] {
  const out = new Float64Array(3);
  fingertip(spec, position, out);
  return [...out].map(x => Math.round(x * 1e9) / 1e9 + 0);
}

t.test('the planar arm stands where a drawing says', async t => {
  t.same(at(planar, 0, 0), [0.22, 0, 0.06], 'stretched along x, 60 mm above the desk');
  t.same(at(planar, quarter, 0), [0, 0.22, 0.06], 'stretched along y');
  t.same(at(planar, 0, quarter), [0.12, 0.1, 0.06], 'elbow at a right angle');
  t.same(at(planar, quarter, quarter), [-0.1, 0.12, 0.06]);
  t.same(at(planar, 0, Math.PI), [0.02, 0, 0.06], 'folded back');
  const sixty = Math.PI / 3;
  t.same(
    at(planar, sixty, -sixty),
    [0.16, Math.round(0.12 * Math.sqrt(0.75) * 1e9) / 1e9, 0.06],
    'forearm along x again',
  );
});

t.test('the planar arm is the two-link formula everywhere', async t => {
  fc.assert(
    fc.property(fc.double({ min: -7, max: 7, noNaN: true }), fc.double({ min: -7, max: 7, noNaN: true }), (a, b) => {
      const out = new Float64Array(3);
      fingertip(planar, [a, b], out);
      return (
        Math.abs(out[0]! - 0.12 * Math.cos(a) - 0.1 * Math.cos(a + b)) < 1e-12 &&
        Math.abs(out[1]! - 0.12 * Math.sin(a) - 0.1 * Math.sin(a + b)) < 1e-12 &&
        out[2] === 0.06
      );
    }),
  );
  t.pass();
});

t.test('an arm in space turns about each joint’s own axis, in the frame that the earlier ones have turned', async t => {
  t.same(at(spatial, 0, 0, 0), [0, 0, 0.4], 'upright');
  t.same(at(spatial, 0, quarter, 0), [0.3, 0, 0.1], 'pitched forward: z goes to x');
  t.same(at(spatial, quarter, quarter, 0), [0, 0.3, 0.1], 'and turned: x goes to y');
  t.same(at(spatial, quarter, quarter, -quarter), [0, 0.2, 0.2], 'the forearm upright again');
  t.same(at(spatial, Math.PI, quarter, quarter), [-0.2, 0, 0], 'the forearm pointing down');
});

t.test('the length of an axis does not count', async t => {
  const long = spatialArm();
  for (const frame of long.frames) frame.axis = frame.axis.map(x => 5 * x) as [number, number, number];
  t.same(at(long, 0.3, -0.7, 1.1), at(spatial, 0.3, -0.7, 1.1));
});

t.test(
  'an axis may point anywhere: about the diagonal of space a third of a turn takes x to y, y to z and z to x',
  async t => {
    for (const axis of [
      [1, 1, 1],
      [4, 4, 4],
    ] as [number, number, number][]) {
      const diagonal = desk2With({
        joints: [planar.joints[0]!],
        frames: [
          { name: 'ball', joint: 'shoulder', axis, translationM: [0, 0, 0] },
          { name: 'tip', parent: 'ball', axis: [0, 0, 1], translationM: [0.1, 0.2, 0.3] },
        ],
      });
      t.same(at(diagonal, (2 * Math.PI) / 3), [0.3, 0.1, 0.2]);
      t.same(at(diagonal, (-2 * Math.PI) / 3), [0.2, 0.3, 0.1]);
      // Half a turn is the mirror image at the axis: 2 · (mean of the parts) − each part.
      t.same(at(diagonal, Math.PI), [0.3, 0.2, 0.1]);
    }
  },
);

t.test('turning joints never changes the length of links', async t => {
  const angle = fc.double({ min: -4, max: 4, noNaN: true });
  fc.assert(
    fc.property(angle, angle, angle, (a, b, c) => {
      const out = new Float64Array(3);
      fingertip(spatial, [a, b, c], out);
      const reach = Math.hypot(out[0]!, out[1]!, out[2]! - 0.1);
      const expected = Math.sqrt(0.2 ** 2 + 0.1 ** 2 + 2 * 0.2 * 0.1 * Math.cos(c));
      return Math.abs(reach - expected) < 1e-12;
    }),
  );
  t.pass();
});

t.test('two specs do not disturb each other', async t => {
  const before = at(planar, 0.4, 0.9);
  at(spatial, 1, 1, 1);
  t.same(at(planar, 0.4, 0.9), before);
});

t.test('a position that is no number gives a fingertip that is none, for the shield to refuse', async t => {
  const out = new Float64Array(3);
  fingertip(planar, [Number.NaN, 0], out);
  t.ok(Number.isNaN(out[0]));
});

t.test('the error is the distance in space', async t => {
  t.equal(fingertipErrorM(planar, [0, 0], [0.22, 0, 0.06]), 0);
  t.ok(Math.abs(fingertipErrorM(planar, [0, 0], [0.22 - 0.03, 0.04, 0.06]) - 0.05) < 1e-12, '3–4–5');
  t.ok(Math.abs(fingertipErrorM(planar, [0, 0], [0.22, 0, 0]) - 0.06) < 1e-12, 'height counts');
});

t.test('a vector along the first frame turns back by what the frame has turned', async t => {
  const out = new Float64Array(3);
  const along = (waist: number, vector: number[]) => {
    alongFirstFrame(spatial, [waist, 0.8, 0.3], vector, out);
    return [...out].map(x => Math.round(x * 1e9) / 1e9 + 0);
  };
  t.same(along(0, [1, 2, 3]), [1, 2, 3]);
  t.same(along(quarter, [0, 1, 0]), [1, 0, 0], 'what was left is ahead now');
  t.same(along(quarter, [1, 0, 5]), [0, -1, 5]);
});

t.test('a workspace ends at the desk, for each link, and round the arm’s own column', async t => {
  const on = { ...spatial, workspace: { floorM: 0.02, columnM: 0.05 } };
  t.ok(insideWorkspace(on, [0, quarter, 0]), 'stretched level, 0.1 m up');
  t.notOk(insideWorkspace(on, [0, 0, 0]), 'upright: over its own column');
  t.notOk(insideWorkspace(on, [0, quarter, quarter]), 'the fingertip on the desk');
  t.notOk(insideWorkspace(on, [0, quarter + 0.5, -quarter - 0.5]), 'the fingertip up, the elbow below the desk');
  t.ok(insideWorkspace(spatial, [0, 0, 0]), 'without a workspace everything is inside');
});

t.test('a gripper moves no frame', async t => {
  const { spec } = loadRobot('so101');
  t.same(
    spec.joints.map((_, j) => movesFingertip(spec, j)),
    [true, true, true, true, true, false],
  );
});
