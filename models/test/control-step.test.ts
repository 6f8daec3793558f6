/** The two halves of a tick around the policy. */
import fc from 'fast-check';
import t from 'tap';
import { command, follow, sense } from '../src/control-step.js';
import { limiterNames, refusals } from '../src/shield.js';
import { atRest, desk2, desk2With } from './arms.js';

const dtS = 0.02;
const agile = desk2With({ joints: desk2.joints.map(j => ({ ...j, maxAcceleration: 1e6 })) });

function give(state: ReturnType<typeof atRest>, action: ArrayLike<number>, derate = 1, spec = agile) {
  const targets = new Float64Array(2);
  const executed = new Float32Array(2);
  const bits = command(spec, state, action, dtS, derate, targets, executed);
  return { targets: [...targets], executed: [...executed], names: limiterNames(bits), bits };
}

t.test('sensing takes the position as it is and half of the velocity difference at 50 Hz', async t => {
  const state = atRest(desk2, [0, 1.2]);
  sense(state, [0.02, 1.2], dtS);
  t.strictSame([...state.position], [0.02, 1.2]);
  t.ok(Math.abs(state.velocity[0]! - 0.5) < 1e-12, `${state.velocity[0]}`);
  t.equal(state.velocity[1], 0);
});

t.test('a constant velocity is found whatever the control period', async t => {
  for (const dt of [0.002, 0.02, 0.05]) {
    const state = atRest(desk2, [0, 1.2]);
    for (let i = 1; i <= 200; i++) sense(state, [i * 1.5 * dt, 1.2], dt);
    t.ok(Math.abs(state.velocity[0]! - 1.5) < 1e-6, `${state.velocity[0]} rad/s at ${dt} s`);
  }
});

t.test('a measurement that is no number does not stay in the velocity', async t => {
  const state = atRest(desk2, [0, 1.2]);
  sense(state, [0.02, 1.2], dtS);
  const before = state.velocity[0];
  sense(state, [Number.NaN, 1.2], dtS);
  t.ok(Number.isNaN(state.position[0]), 'the position says what was measured: the shield refuses it');
  sense(state, [0.02, 1.2], dtS);
  t.equal(state.velocity[0], before, 'there is no difference to a number that is none');
  sense(state, [0.02, 1.2], dtS);
  t.ok(Math.abs(state.velocity[0]! - before! / 2) < 1e-12, 'and then the estimate goes on');
});

t.test('an action that needs no limiter is executed as asked', async t => {
  const { targets, executed, names } = give(atRest(agile, [0, 1.2]), [1, -0.5]);
  t.ok(Math.abs(targets[0]! - 0.06) < 1e-12 && Math.abs(targets[1]! - 1.17) < 1e-12, `${targets}`);
  t.ok(Math.abs(executed[0]! - 1) < 1e-6 && Math.abs(executed[1]! + 0.5) < 1e-6, `${executed}`);
  t.strictSame(names, []);
});

t.test('what was executed is what the targets amount to, not what was asked for', async t => {
  const { targets, executed, names } = give(atRest(agile, [0, 1.2]), [1, 0], 0.5);
  t.ok(Math.abs(targets[0]! - 0.04) < 1e-12, `${targets}`);
  t.ok(Math.abs(executed[0]! - 0.04 / 0.06) < 1e-6, `${executed}`);
  t.strictSame(names, ['derate']);
});

t.test('executed actions are remembered newest first, and the oldest is forgotten', async t => {
  const state = atRest(agile, [0, 1.2]);
  for (const asked of [0.1, 0.2, 0.3, 0.4]) give(state, [asked, -asked]);
  const wanted = [0.4, -0.4, 0.3, -0.3, 0.2, -0.2];
  for (const [i, value] of wanted.entries()) t.ok(Math.abs(state.actions[i]! - value) < 1e-6, `${state.actions}`);
});

t.test('target and target velocity follow what was sent', async t => {
  const state = atRest(agile, [0, 1.2]);
  const { targets } = give(state, [0.5, 0]);
  t.strictSame([...state.target], targets);
  t.ok(Math.abs(state.targetVelocity[0]! - 0.03 / dtS) < 1e-9, `${state.targetVelocity}`);
});

t.test('a refused tick sends the last target again and counts as standing still', async t => {
  for (const bad of [[Number.NaN, 0], [0, Number.POSITIVE_INFINITY], [0.5], [0.5, 0, 0], []]) {
    const state = atRest(agile, [0, 1.2]);
    give(state, [1, 1]);
    const { targets, executed, bits } = give(state, bad);
    t.strictSame(targets, [0.06, 1.26], `[${bad}]`);
    t.strictSame(executed, [0, 0]);
    t.strictSame([...state.targetVelocity], [0, 0]);
    t.not(bits & refusals, 0);
  }
});

t.test('replaying what was executed gives the same targets: a log can be relabelled', async () => {
  // Not across a refused tick: that one stops dead, which no action can ask for.
  const action = fc.float({ noNaN: true, noDefaultInfinity: true });
  const actions = fc.array(fc.tuple(action, action), { maxLength: 30 });
  fc.assert(
    fc.property(actions, asked => {
      const first = atRest(desk2, [0.3, 0.5]);
      const again = atRest(desk2, [0.3, 0.5]);
      for (const action of asked) {
        const { targets, executed } = give(first, action, 1, desk2);
        const replayed = give(again, executed, 1, desk2);
        for (const [j, target] of targets.entries())
          if (!(Math.abs(replayed.targets[j]! - target) < 1e-5)) throw new Error(`${replayed.targets} for ${targets}`);
      }
    }),
  );
});

t.test('targets that somebody else chose are remembered like those of a policy', async t => {
  const state = atRest(agile, [0, 1.2]);
  const executed = new Float32Array(2);
  follow(agile, state, [0.03, 1.5], dtS, executed);
  t.ok(Math.abs(executed[0]! - 0.5) < 1e-6, `${executed}`);
  t.equal(executed[1], 1, 'further than an action reaches is an action of 1');
  t.strictSame([...state.target], [0.03, 1.5]);
  t.ok(Math.abs(state.targetVelocity[0]! - 1.5) < 1e-12);
  t.strictSame([...state.actions.slice(0, 2)], [...executed]);
});
