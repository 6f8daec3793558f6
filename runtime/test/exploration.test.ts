import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { checkExploration, explore } from '../src/exploration.js';

t.test('noise has the given deviation and the seed decides it', async t => {
  const exploration = { sigma: 0.1, random: new Random(3) };
  const action = new Float32Array(20_000);
  explore(exploration, action);
  const variance = action.reduce((sum, a) => sum + a * a, 0) / action.length;
  t.ok(Math.abs(Math.sqrt(variance) - 0.1) < 0.005);
  const again = new Float32Array(20_000);
  explore({ sigma: 0.1, random: new Random(3) }, again);
  t.same(again.slice(0, 50), action.slice(0, 50));
});

t.test('an action stays in −1 … 1', async t => {
  const action = new Float32Array(1000).fill(0.99);
  explore({ sigma: 1, random: new Random(1) }, action);
  t.ok(action.every(a => a >= -1 && a <= 1));
});

t.test('what is not a number stays so, for the shield to see', async t => {
  const action = Float32Array.of(Number.NaN, 0);
  explore({ sigma: 0.1, random: new Random(1) }, action);
  t.ok(Number.isNaN(action[0]));
  t.ok(Number.isFinite(action[1]));
});

t.test('noise that is no share of an action is refused', async t => {
  for (const sigma of [-0.1, 1.5, Number.NaN])
    t.throws(() => checkExploration({ sigma, random: new Random(1) }), { code: 'E_EXPLORATION', exit: 'usage' });
  checkExploration({ sigma: 0, random: new Random(1) });
});
