import t from 'tap';
import { adamStep, learningRateAt } from '../../src/engine/adam.js';

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

t.test('a learning rate that falls is half after the steps that it says, a third after twice as many', async t => {
  const config = { learningRate: 0.3, halvedAfter: 100 };
  t.equal(learningRateAt(config, 1), 0.3);
  t.ok(Math.abs(learningRateAt(config, 101) - 0.15) < 1e-15);
  t.ok(Math.abs(learningRateAt(config, 201) - 0.1) < 1e-15);
  const { stepSize } = adamStep(config, 101);
  t.ok(Math.abs(stepSize - 0.15 / (1 - 0.9 ** 101)) < 1e-15, 'and the step is of that rate');
});

t.test('without such a number it never falls', async t => {
  for (const config of [{ learningRate: 0.3 }, { learningRate: 0.3, halvedAfter: 0 }])
    t.equal(learningRateAt(config, 1_000_000), 0.3);
});
