/** The value shield: each limiter by hand, then what must hold for any input whatever. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type Limiter, limiterNames, limiters, refusals, shieldTargets } from '../src/shield.js';
import { atRest, desk2, desk2With } from './arms.js';

const dtS = 0.02;
/** Acceleration never limits: the other limiters are seen alone. */
const agile = desk2With({ joints: desk2.joints.map(j => ({ ...j, maxAcceleration: 1e6 })) });

/** One tick of the agile arm from rest. */
function tick(from: readonly number[], requested: ArrayLike<number>, derate = 1, spec = agile, dt = dtS) {
  const out = new Float64Array(spec.joints.length).fill(Number.NaN);
  const bits = shieldTargets(spec, atRest(spec, from), requested, dt, derate, out);
  return { out: [...out], names: limiterNames(bits) };
}

function near(t: Test, found: readonly number[], wanted: readonly number[]): void {
  for (const [j, value] of wanted.entries()) t.ok(Math.abs(found[j]! - value) < 1e-12, `${found} is ${wanted}`);
}

t.test('a modest request passes as it is, with no limiter', async t => {
  const { out, names } = tick([0, 1.2], [0.05, 1.15]);
  near(t, out, [0.05, 1.15]);
  t.strictSame(names, []);
});

t.test('a number that is none refuses the whole tick: every joint keeps its last target', async t => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const requested of [
      [bad, 1.25],
      [0.05, bad],
    ]) {
      const { out, names } = tick([0, 1.2], requested);
      t.strictSame(out, [0, 1.2]);
      t.strictSame(names, ['nonFinite']);
    }
  }
});

t.test('a measured position that is no number refuses the tick', async t => {
  const state = atRest(agile, [0, 1.2]);
  state.position[1] = Number.NaN;
  const out = new Float64Array(2);
  t.strictSame(limiterNames(shieldTargets(agile, state, [0.05, 1.2], dtS, 1, out)), ['nonFinite']);
  t.strictSame([...out], [0, 1.2]);
});

t.test('a derating or a period that is no number, or no time, refuses the tick', async t => {
  t.strictSame(tick([0, 1.2], [0.05, 1.2], Number.NaN), { out: [0, 1.2], names: ['nonFinite'] });
  for (const dt of [0, -0.02, Number.NaN, Number.POSITIVE_INFINITY])
    t.strictSame(tick([0, 1.2], [0.05, 1.2], 1, agile, dt), { out: [0, 1.2], names: ['nonFinite'] }, `dt ${dt}`);
});

t.test('a request of the wrong length refuses the tick, whatever stands in it', async t => {
  for (const requested of [[], [0.05], [0.05, 1.2, 0], [Number.NaN]])
    t.strictSame(tick([0, 1.2], requested), { out: [0, 1.2], names: ['shape'] });
});

t.test(
  'a target is no further than the lead from the measured position, and comes back at a permitted speed',
  async t => {
    const leading = desk2With({ joints: agile.joints, safety: { ...desk2.safety, lead: 0.1 } });
    const ask = (position: number, target: number, requested: number) => {
      const state = atRest(leading, [position, 1.2]);
      state.target[0] = target;
      const out = new Float64Array(2);
      const names = limiterNames(shieldTargets(leading, state, [requested, 1.2], dtS, 1, out));
      return { out: out[0]!, names };
    };
    t.strictSame(ask(0.3, 0.38, 0.41), { out: 0.4, names: ['lead'] }, 'held up: it stops 0.1 rad ahead');
    t.strictSame(ask(0.3, 0.22, 0.19), { out: 0.3 - 0.1, names: ['lead'] }, 'on the other side, too');
    t.strictSame(ask(0.3, 0.35, 0.39), { out: 0.39, names: [] }, 'within the lead nothing is changed');
    const pushed = ask(0.3, 0.9, 0.95);
    t.ok(
      Math.abs(pushed.out - (0.9 - leading.joints[0]!.maxVelocity * dtS)) < 1e-12,
      `pushed off its target: ${pushed.out}`,
    );
    t.strictSame(pushed.names, ['velocity', 'lead']);
    t.strictSame(ask(1.7, 1.5, 1.5), { out: 1.5, names: ['range', 'lead'] }, 'the range comes before the lead');
  },
);

t.test('a target beyond the range is cut to its end', async t => {
  const slow = desk2With({ joints: agile.joints, safety: { ...desk2.safety, softLimit: 1e-6 } });
  const { out, names } = tick([1.48, 0.12], [9, -9], 1, slow);
  near(t, out, [1.5, 0.1]);
  t.strictSame(names, ['range']);
});

t.test('a joint too fast to brake before the end of its range stops there, and the log says so', async t => {
  const heavy = desk2With({
    joints: desk2.joints.map(j => ({ ...j, maxAcceleration: 1 })),
    safety: { ...desk2.safety, softLimit: 0.001 },
  });
  const state = atRest(heavy, [1.49, 1.2]);
  state.targetVelocity[0] = 2;
  const out = new Float64Array(2);
  // Asked for: 0.5 rad/s, to 1.5. Braking allows 1.98 rad/s at least, which would lead to 1.53.
  const bits = shieldTargets(heavy, state, [1.5, 1.2], dtS, 1, out);
  near(t, [...out], [1.5, 1.2]);
  t.strictSame(limiterNames(bits), ['range', 'acceleration']);
});

t.test('velocity is limited to the maximum of the joint: 4 rad/s are 0.08 rad in 20 ms', async t => {
  const { out, names } = tick([0, 1.2], [1, 0.2]);
  near(t, out, [0.08, 1.12]);
  t.strictSame(names, ['velocity']);
});

t.test('acceleration is limited from the velocity of the last target: 60 rad/s² are 1.2 rad/s a tick', async t => {
  const state = atRest(desk2, [0, 1.2]);
  const out = new Float64Array(2);
  t.strictSame(limiterNames(shieldTargets(desk2, state, [0.06, 1.2], dtS, 1, out)), ['acceleration']);
  near(t, [...out], [1.2 * dtS, 1.2]);
  state.targetVelocity.set([-1, 0]);
  shieldTargets(desk2, state, [0.06, 1.2], dtS, 1, out);
  near(t, [...out], [0.2 * dtS, 1.2]);
});

t.test(
  'towards an end of the range velocity tapers to nothing over the soft limit; away from it it is free',
  async t => {
    // Half a soft limit (0.04 rad) from the end leaves half the velocity.
    const towards = tick([1.46, 1.2], [1.5, 1.2]);
    near(t, towards.out, [1.46 + 0.02 * 2, 1.2]);
    t.strictSame(tick([1.49, 1.2], [1.5, 1.2], 1).names, [], 'a slow request needs no taper');
    const fast = tick([1.48, 1.2], [1.5, 1.2], 1, agile, 0.01);
    near(t, fast.out, [1.48 + 0.01 * 1, 1.2]);
    t.strictSame(fast.names, ['softLimit']);
    const away = tick([1.48, 1.2], [1.41, 1.2]);
    near(t, away.out, [1.41, 1.2]);
    t.strictSame(away.names, []);
  },
);

t.test('derating lets a share of the velocity through; none of it at 0', async t => {
  const half = tick([0, 1.2], [0.08, 1.2], 0.5);
  near(t, half.out, [0.04, 1.2]);
  t.strictSame(half.names, ['derate']);
  t.strictSame(tick([0, 1.2], [0.08, 1.12], 0), { out: [0, 1.2], names: ['derate'] });
  near(t, tick([0, 1.2], [0.08, 1.2], 7).out, [0.08, 1.2]);
  near(t, tick([0, 1.2], [0.08, 1.2], -1).out, [0, 1.2]);
});

t.test(
  'derating lets the same share of the acceleration through, and says that it is the derating that limits',
  async t => {
    const state = atRest(desk2, [0, 1.2]);
    const out = new Float64Array(2);
    const ask = (requested: number, derate: number) =>
      limiterNames(shieldTargets(desk2, state, [requested, 1.2], dtS, derate, out));
    // 60 rad/s² are 1.2 rad/s a tick, a quarter of that 0.3.
    t.strictSame(ask(0.016, 0.25), ['derate'], 'at 1 it would not have been limited');
    near(t, [...out], [0.3 * dtS, 1.2]);
    t.strictSame(ask(0.06, 0.25), ['derate'], '3 rad/s are a quarter of full speed at most: that is no fast change');
    near(t, [...out], [0.3 * dtS, 1.2]);
    state.targetVelocity[0] = -1;
    t.strictSame(ask(0.06, 0.25), ['acceleration', 'derate'], 'from −1 to 1 rad/s is too fast at any share');
    near(t, [...out], [-0.7 * dtS, 1.2]);
  },
);

t.test('a share that falls is kept at once, whatever the gentler braking would permit', async t => {
  const state = atRest(desk2, [0, 1.2]);
  state.targetVelocity[0] = 4;
  const out = new Float64Array(2);
  t.ok((shieldTargets(desk2, state, [0.08, 1.2], dtS, 0.25, out) & limiters.derate) !== 0);
  near(t, [...out], [1 * dtS, 1.2]);
  shieldTargets(desk2, state, [0.08, 1.2], dtS, 0, out);
  t.strictSame([...out], [0, 1.2]);
});

t.test('towards an end of the range a derated joint brakes as hard as the soft limit wants', async t => {
  const state = atRest(desk2, [1.46, 1.2]);
  state.targetVelocity[0] = 4;
  const out = new Float64Array(2);
  const half = 0.5 * desk2.joints[0]!.maxVelocity;
  shieldTargets(desk2, state, [1.5, 1.2], dtS, 0.9, out);
  t.ok(out[0]! <= 1.46 + half * dtS + 1e-12, `half a soft limit from the end it goes to ${out[0]}`);
});

t.test('an arm found outside its range does not go further out, and comes back when asked', async t => {
  near(t, tick([1.7, 1.2], [9, 1.2]).out, [1.7 - 0.08, 1.2]);
  near(t, tick([1.7, 1.2], [1.4, 1.2]).out, [1.7 - 0.08, 1.2]);
  let from = 1.7;
  for (let i = 0; i < 3; i++) from = tick([from, 1.2], [1.4, 1.2]).out[0]!;
  t.ok(from < 1.5, `after three ticks it is inside, at ${from}`);
});

t.test('the bits stand in the order of the limiters, and every limiter has a bit of its own', async t => {
  const order = ['nonFinite', 'shape', 'range', 'velocity', 'acceleration', 'softLimit', 'derate', 'lead'];
  t.strictSame(limiterNames(255), order);
  t.strictSame(Object.values(limiters), [1, 2, 4, 8, 16, 32, 64, 128]);
  t.strictSame(limiterNames(refusals), ['nonFinite', 'shape']);
  t.strictSame(limiterNames(0), [] satisfies Limiter[]);
});

const anyNumber = fc.oneof(
  fc.double(),
  fc.double({ min: -4, max: 4 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e308, -1e308),
);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const plain = fc.double({ min: -4, max: 4, noNaN: true });

t.test(
  'for any request: the output is finite, within velocity, and never further out than the range or where it was',
  async () => {
    fc.assert(
      fc.property(
        fc.tuple(plain, plain),
        fc.tuple(finite, finite),
        fc.tuple(anyNumber, anyNumber),
        fc.oneof(fc.constantFrom(0.001, 0.02, 0.1), anyNumber),
        anyNumber,
        (target, velocity, requested, dt, derate) => {
          const state = atRest(desk2, target);
          state.targetVelocity.set(velocity);
          const out = new Float64Array(2).fill(Number.NaN);
          const bits = shieldTargets(desk2, state, requested, dt, derate, out);
          for (const [j, joint] of desk2.joints.entries()) {
            const from = target[j]!;
            const [low, high] = joint.range;
            if (!Number.isFinite(out[j])) throw new Error(`joint ${j} is sent to ${out[j]}`);
            if (out[j]! < Math.min(low, from) || out[j]! > Math.max(high, from))
              throw new Error(`joint ${j} goes out from ${from} to ${out[j]}`);
            const travelled = Math.abs(out[j]! - from);
            if (travelled > 0 && travelled > joint.maxVelocity * dt * (1 + 1e-9) + 1e-12)
              throw new Error(`joint ${j} travels ${travelled} rad in ${dt} s`);
            if ((bits & refusals) !== 0 && out[j] !== from) throw new Error('a refused tick moves');
          }
          if (![...requested, dt, derate].every(Number.isFinite) && bits !== limiters.nonFinite)
            throw new Error(`bits ${bits} for a number that is none`);
        },
      ),
      { numRuns: 3000 },
    );
  },
);

t.test('a request that the shield let through is let through again: bits of 0 mean nothing was changed', async () => {
  fc.assert(
    fc.property(fc.tuple(plain, plain), fc.tuple(plain, plain), (target, requested) => {
      const out = new Float64Array(2);
      const bits = shieldTargets(desk2, atRest(desk2, target), requested, dtS, 1, out);
      const changed = requested.some((value, j) => Math.abs(value - out[j]!) > 1e-9);
      if (changed !== (bits !== 0) && changed) throw new Error(`changed to ${out} without a bit`);
    }),
  );
});
