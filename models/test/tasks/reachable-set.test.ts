import t from 'tap';
import { fingertip, fingertipErrorM, insideWorkspace } from '../../src/kinematics.js';
import { Random } from '../../src/random.js';
import { isReachable, samplePosture, sampleReachable } from '../../src/tasks/reachable-set.js';
import { desk2, desk2With, spatialArm } from '../arms.js';

/** The two-link arm solved by hand; only the test may do that, the task must not. */
function posture(point: Float64Array): [number, number] {
  const [x, y] = point as unknown as [number, number];
  const elbow = Math.acos((x * x + y * y - 0.12 ** 2 - 0.1 ** 2) / (2 * 0.12 * 0.1));
  return [Math.atan2(y, x) - Math.atan2(0.1 * Math.sin(elbow), 0.12 + 0.1 * Math.cos(elbow)), elbow];
}

function draws(seed: number, count: number): Float64Array[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const point = new Float64Array(3);
    sampleReachable(desk2, random, point);
    return point;
  });
}

t.test('every point can be reached inside the ranges, off their ends', async t => {
  let worst = 0;
  for (const point of draws(3, 5000)) {
    const [shoulder, elbow] = posture(point);
    if (!(Math.abs(shoulder) <= 1.4 + 1e-9 && elbow >= 0.2 - 1e-9 && elbow <= 2.5 + 1e-9))
      t.fail(`${point} needs the posture ${shoulder}, ${elbow}`);
    worst = Math.max(worst, fingertipErrorM(desk2, [shoulder, elbow], point));
  }
  t.ok(worst < 1e-9, 'and the posture does reach it');
});

/**
 * Chi-square over cells of equal area. Area is r dr dφ, and at each radius the arm sweeps the same 2.8 rad: so r² and the shoulder
 * angle are both uniform and independent where points are, and equal steps of both make cells of equal area.
 */
function chiSquare(points: readonly Float64Array[]): number {
  const [inner, outer] = [2.5, 0.2].map(elbow => 0.12 ** 2 + 0.1 ** 2 + 2 * 0.12 * 0.1 * Math.cos(elbow)) as [
    number,
    number,
  ];
  const rings = 5;
  const sectors = 6;
  const cells = new Array<number>(rings * sectors).fill(0);
  const cell = (share: number, of: number) => Math.min(of - 1, Math.max(0, Math.floor(of * share)));
  for (const point of points) {
    const ring = cell((point[0]! ** 2 + point[1]! ** 2 - inner) / (outer - inner), rings);
    cells[ring * sectors + cell((posture(point)[0] + 1.4) / 2.8, sectors)]! += 1;
  }
  const expected = points.length / cells.length;
  return cells.reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
}

/** 29 degrees of freedom: 0.1 % lies beyond. */
const limit = 58.3;

t.test('points are uniform over the annulus that the ranges leave', async t => {
  for (const seed of [4, 5, 6]) {
    const found = chiSquare(draws(seed, 6000));
    t.ok(found < limit, `chi-square ${found.toFixed(1)}`);
  }
});

t.test('uniform joint angles would not pass: the test can tell', async t => {
  const random = new Random(5);
  const points = Array.from({ length: 6000 }, () => {
    const point = new Float64Array(3);
    fingertip(desk2, [random.uniform(-1.4, 1.4), random.uniform(0.2, 2.5)], point);
    return point;
  });
  const found = chiSquare(points);
  t.ok(found > 5 * limit, `chi-square ${found.toFixed(1)}`);
});

t.test('the same generator draws the same points, and a robot of the same numbers has the same set', async t => {
  t.same(draws(8, 20), draws(8, 20));
  t.notSame(draws(8, 20), draws(9, 20));
  const twin = desk2With({});
  const point = new Float64Array(3);
  sampleReachable(twin, new Random(8), point);
  t.same(point, draws(8, 1)[0]);
});

t.test('an arm that moves in space fills its space: no half of it is favoured', async t => {
  const arm = spatialArm();
  const random = new Random(6);
  const point = new Float64Array(3);
  let left = 0;
  const count = 2000;
  const distinct = new Set<string>();
  for (let i = 0; i < count; i++) {
    sampleReachable(arm, random, point);
    distinct.add(point.join());
    if (point[1]! > 0) left += 1;
    if (Math.hypot(point[0]!, point[1]!, point[2]! - 0.1) > 0.3 + 1e-9) t.fail(`${point} is out of reach`);
  }
  t.ok(Math.abs(left / count - 0.5) < 0.06, `${left} of ${count} lie to the left`);
  t.ok(distinct.size > 1500, `${distinct.size} different points`);
});

t.test('a joint with hardly any range stays in its middle instead of leaving it', async t => {
  const [shoulder, elbow] = desk2.joints;
  const stiff = desk2With({
    joints: [{ ...shoulder!, range: [-0.05, 0.05] }, elbow!],
    safety: { ...desk2.safety, softLimit: 0.01 },
  });
  const point = new Float64Array(3);
  const random = new Random(7);
  for (let i = 0; i < 50; i++) {
    sampleReachable(stiff, random, point);
    if (Math.abs(posture(point)[0]) > 1e-9) t.fail(`shoulder at ${posture(point)[0]}`);
  }
  t.pass();
});

t.test('whether a point can be reached, to the cell: what was drawn can, what is beyond the arm cannot', async t => {
  for (const point of draws(9, 200)) t.ok(isReachable(desk2, point));
  t.notOk(isReachable(desk2, [0.25, 0, 0.06]), 'too far');
  t.notOk(isReachable(desk2, [0.02, 0, 0.06]), 'too near');
  t.notOk(isReachable(desk2, [0.15, 0, 0.1]), 'too high');
});

t.test('postures are drawn inside the ranges, off their ends, and inside the workspace', async t => {
  const spec = { ...spatialArm(), workspace: { floorM: 0.02, columnM: 0.05 } };
  const random = new Random(3);
  const posture = new Float64Array(3);
  for (let i = 0; i < 500; i++) {
    samplePosture(spec, random, 0.2, posture);
    if (!insideWorkspace(spec, posture) || posture.some(angle => Math.abs(angle) > 1.4)) t.fail(`${posture}`);
  }
  t.pass();
  const nowhere = { ...spec, workspace: { floorM: 5, columnM: 0 } };
  t.throws(() => samplePosture(nowhere, random, 0.1, posture), { code: 'E_WORKSPACE_EMPTY', message: /spatial/ });
});
