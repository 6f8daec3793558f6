import fc from 'fast-check';
import t from 'tap';
import { fingertip } from '../../src/kinematics.js';
import { Random } from '../../src/random.js';
import { reach } from '../../src/tasks/reach.js';
import { desk2, spatialArm } from '../arms.js';

const view = (...position: number[]) => ({ position, velocity: position.map(() => 0) });
const stretched = view(0, 0);
const close = (a: number, b: number) => Math.abs(a - b) < 1e-12;

t.test('on the goal, without effort, the reward is 1', async t => {
  t.equal(reach.reward(desk2, stretched, [0, 0], stretched, [0.22, 0, 0.06]), 1);
});

t.test('the reward by hand: 15 mm off, one joint at full action', async t => {
  // exp(−15/15) − 0.015/0.22 − 0.05 · (1² + 0²) / 2
  const reward = reach.reward(desk2, stretched, [1, 0], stretched, [0.205, 0, 0.06]);
  t.ok(close(reward, Math.exp(-1) - 0.015 / 0.22 - 0.025), `${reward}`);
});

t.test('the reward by hand: far off, both joints at half action', async t => {
  const reward = reach.reward(desk2, stretched, [0.5, -0.5], stretched, [0, 0.22, 0.06]);
  const distance = 0.22 * Math.SQRT2;
  t.ok(close(reward, Math.exp(-distance / 0.015) - Math.SQRT2 - 0.05 * 0.25), `${reward}`);
});

t.test('the reward looks at where the arm came to, not where it was', async t => {
  const goal = [0.22, 0, 0.06];
  t.equal(
    reach.reward(desk2, view(1, 1), [0, 0], stretched, goal),
    reach.reward(desk2, view(-1, 2), [0, 0], stretched, goal),
  );
});

t.test('coming closer always pays, and moving less always pays', async t => {
  const action = fc.double({ min: -1, max: 1, noNaN: true });
  const far = fc.double({ min: 0, max: 0.3, noNaN: true });
  fc.assert(
    fc.property(far, far, action, action, (a, b, u, v) => {
      const at = (distance: number, effort: number) =>
        reach.reward(desk2, stretched, [effort, effort], stretched, [0.22 + distance, 0, 0.06]);
      return (a < b ? at(a, u) >= at(b, u) : at(a, u) <= at(b, u)) && (u ** 2 < v ** 2 ? at(a, u) >= at(a, v) : true);
    }),
  );
  t.pass();
});

t.test('the error is the distance of the fingertip in metres', async t => {
  t.ok(close(reach.errorM(desk2, [0, 0], [0.19, 0.04, 0.06]), 0.05));
});

t.test('every goal that is drawn can be reached: a posture on a fine grid of the ranges comes within 3 mm', async t => {
  const random = new Random(21);
  const goal = new Float64Array(3);
  const grid: number[][] = [];
  const point = new Float64Array(3);
  for (let a = -1.5; a <= 1.5; a += 0.01)
    for (let b = 0.1; b <= 2.6; b += 0.02) {
      fingertip(desk2, [a, b], point);
      grid.push([point[0]!, point[1]!]);
    }
  let worst = 0;
  for (let i = 0; i < 60; i++) {
    reach.sampleGoal(desk2, random, goal);
    let nearest = Number.POSITIVE_INFINITY;
    for (const [x, y] of grid) nearest = Math.min(nearest, Math.hypot(goal[0]! - x!, goal[1]! - y!));
    worst = Math.max(worst, nearest);
  }
  t.ok(worst < 0.003, `the worst is ${(worst * 1000).toFixed(2)} mm off`);
});

t.test('an episode is the way across the widest range at full speed, and a second', async t => {
  t.equal(reach.episodeS(desk2, 50), 2, '3 rad at 3 rad/s');
  const spec = { ...spatialArm(), action: { kind: 'velocity', scale: 0.5 } } as const;
  t.ok(close(reach.episodeS(spec, 100), 3.2 / 1.5 + 1));
  const [waist, ...others] = spec.joints;
  t.equal(reach.episodeS({ ...spec, joints: [{ ...waist!, range: [-3, 3] }, ...others] }, 50), 5);
  const gripper = { ...waist!, name: 'gripper', range: [-9, 9] as [number, number] };
  t.ok(
    close(reach.episodeS({ ...spec, joints: [...spec.joints, gripper] }, 50), 3.2 / 1.5 + 1),
    'a gripper has no part in it',
  );
});
