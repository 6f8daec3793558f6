import t from 'tap';
import { adamStep } from '../../src/engine/adam.js';

t.test("settings left out are the paper's", async t => {
  const { beta1, beta2, epsilon } = adamStep({ learningRate: 1 }, 1);
  t.same([beta1, beta2, epsilon], [0.9, 0.999, 1e-8]);
});

t.test('the bias correction of the first step undoes 1 − β, and fades', async t => {
  const first = adamStep({ learningRate: 0.2 }, 1);
  t.ok(Math.abs(first.stepSize - 2) < 1e-12);
  t.ok(Math.abs(first.rootScale - 1 / Math.sqrt(0.001)) < 1e-9);
  const late = adamStep({ learningRate: 0.2 }, 100_000);
  t.ok(Math.abs(late.stepSize - 0.2) < 1e-12);
  t.ok(Math.abs(late.rootScale - 1) < 1e-12);
});
