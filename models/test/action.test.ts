/** Actions to targets and back: by hand for each kind, then as a round trip. */
import fc from 'fast-check';
import t from 'tap';
import { fullSpeed, toAction, toTargets } from '../src/action.js';
import type { RobotSpec } from '../src/robot-spec.js';
import { atRest, desk2, desk2With } from './arms.js';

const dtS = 0.02;
const kinds: readonly RobotSpec['action'][] = [
  { kind: 'position', scale: 0.9 },
  { kind: 'delta-position', scale: 0.06 },
  { kind: 'velocity', scale: 0.5 },
];

function targetsOf(action: RobotSpec['action'], asked: readonly number[], from: readonly number[]): number[] {
  const spec = desk2With({ action });
  const out = new Float64Array(2);
  toTargets(spec, asked, atRest(spec, from), dtS, out);
  return [...out];
}

function near(found: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  for (const [j, value] of wanted.entries())
    if (!(Math.abs(found[j]! - value) <= tolerance)) throw new Error(`[${Array.from(found)}] is not [${wanted}]`);
}

t.test('position: ±1 is a share of half the range about its middle, wherever the arm is', async () => {
  const action = { kind: 'position', scale: 0.9 } as const;
  near(targetsOf(action, [1, -1], [0.3, 1]), [1.35, 1.35 - 0.9 * 1.25], 1e-12);
  near(targetsOf(action, [0, 0], [-1, 2]), [0, 1.35], 1e-12);
});

t.test('delta-position: ±1 moves the last target by the scale, however long a tick is', async () => {
  const action = { kind: 'delta-position', scale: 0.06 } as const;
  near(targetsOf(action, [1, -0.5], [0.3, 1]), [0.36, 0.97], 1e-12);
});

t.test('velocity: ±1 moves the last target by a share of the maximal velocity times the tick', async () => {
  const action = { kind: 'velocity', scale: 0.5 } as const;
  near(targetsOf(action, [1, -0.5], [0.3, 1]), [0.3 + 0.5 * 4 * dtS, 1 - 0.25 * 4 * dtS], 1e-12);
});

t.test('an action beyond ±1 counts as ±1', async t => {
  for (const action of kinds)
    t.strictSame(targetsOf(action, [7, -1e300], [0.3, 1]), targetsOf(action, [1, -1], [0.3, 1]), action.kind);
});

t.test('an action that is not finite asks for no target: infinity is no order to move', async t => {
  for (const action of kinds)
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      t.ok(Number.isNaN(targetsOf(action, [bad, 0], [0.3, 1])[0]), `${action.kind} ${bad}`);
});

t.test('every kind: the action of the targets of an action is that action', async () => {
  const share = fc.double({ min: -1, max: 1, noNaN: true });
  const angle = fc.double({ min: -3, max: 3, noNaN: true });
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.tuple(share, share),
      fc.tuple(angle, angle),
      fc.constantFrom(0.002, 0.02, 0.1),
      (kind, action, from, dt) => {
        const spec = desk2With({ action: kind });
        const state = atRest(spec, from);
        const targets = new Float64Array(2);
        const back = new Float32Array(2);
        toTargets(spec, action, state, dt, targets);
        toAction(spec, targets, state, dt, back);
        near(back, action, 1e-6);
      },
    ),
  );
});

t.test('targets that no action reaches give the nearest one: ±1', async t => {
  for (const action of kinds) {
    const spec = desk2With({ action });
    const back = new Float32Array(2);
    toAction(spec, [99, -99], atRest(desk2, [0, 1.2]), dtS, back);
    t.strictSame([...back], [1, -1], action.kind);
  }
});

t.test('the full speed is what the kind of action asks for at ±1, and never more than the joint may', async t => {
  const speeds = (action: RobotSpec['action']) => [0.02, 0.01].map(dt => fullSpeed(desk2With({ action }), 0, dt));
  t.strictSame(speeds({ kind: 'velocity', scale: 0.5 }), [2, 2], 'half of 4 rad/s, at any rate');
  t.strictSame(speeds({ kind: 'delta-position', scale: 0.06 }), [3, 4], '0.06 rad in 10 ms would be 6 rad/s');
  t.strictSame(speeds({ kind: 'position', scale: 0.9 }), [4, 4]);
});
