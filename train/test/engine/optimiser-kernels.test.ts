import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { adamStep } from '../../src/engine/adam.js';
import { Arena } from '../../src/engine/arena.js';
import { optimiserKernels } from '../../src/engine/optimiser-kernels.js';

const count = 48;
const config = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };

function groups() {
  const arena = new Arena([count, count, count, count]);
  const [parameters, gradients, first, second] = [1, 2, 3, 4].map(() => arena.allocate(count));
  return {
    kernels: optimiserKernels(arena.memory),
    parameters: parameters!,
    gradients: gradients!,
    first: first!,
    second: second!,
  };
}

function step({ kernels, parameters, gradients, first, second }: ReturnType<typeof groups>, number: number): number {
  const { stepSize, rootScale, beta1, beta2, epsilon } = adamStep(config, number);
  return kernels.adam(
    parameters.byteOffset,
    gradients.byteOffset,
    first.byteOffset,
    second.byteOffset,
    count,
    stepSize,
    rootScale,
    beta1,
    beta2,
    epsilon,
  );
}

t.test("Adam is the paper's algorithm 1, step after step", async t => {
  const random = new Random(1);
  const group = groups();
  random.fillNormal(group.parameters.values);
  // The textbook, in float64, with the bias corrections where the paper has them.
  const theta = Float64Array.from(group.parameters.values);
  const [m, v] = [new Float64Array(count), new Float64Array(count)];
  for (let n = 1; n <= 50; n++) {
    random.fillNormal(group.gradients.values);
    step(group, n);
    group.gradients.values.forEach((g, i) => {
      m[i] = config.beta1 * m[i]! + (1 - config.beta1) * g;
      v[i] = config.beta2 * v[i]! + (1 - config.beta2) * g * g;
      const [corrected1, corrected2] = [m[i]! / (1 - config.beta1 ** n), v[i]! / (1 - config.beta2 ** n)];
      theta[i]! -= (config.learningRate * corrected1) / (Math.sqrt(corrected2) + config.epsilon);
    });
  }
  theta.forEach((value, i) => {
    t.ok(Math.abs(group.parameters.values[i]! - value) < 2e-6);
  });
  m.forEach((value, i) => {
    t.ok(Math.abs(group.first.values[i]! - value) < 1e-6);
  });
  v.forEach((value, i) => {
    t.ok(Math.abs(group.second.values[i]! - value) < 1e-6);
  });
});

t.test('the first step is the learning rate against the sign of the gradient', async t => {
  const group = groups();
  group.gradients.values.forEach((_, i, g) => {
    g[i] = i % 2 === 0 ? 1e-3 : -500;
  });
  step(group, 1);
  group.parameters.values.forEach((value, i) => {
    t.ok(Math.abs(value - (i % 2 === 0 ? -0.01 : 0.01)) < 1e-6);
  });
});

t.test('Adam returns the squared length of the gradient, and NaN if one part of it is NaN', async t => {
  const group = groups();
  group.gradients.values.fill(2);
  t.equal(step(group, 1), 4 * count);
  group.gradients.values[37] = Number.NaN;
  t.ok(Number.isNaN(step(group, 2)));
});

t.test('moments of a parameter without gradient end at 0, never among the denormals', async t => {
  const group = groups();
  group.gradients.values.fill(1e-12);
  step(group, 1);
  group.gradients.values.fill(0);
  for (let i = 2; i < 2000; i++) {
    step(group, i);
    t.ok(group.first.values[0] === 0 || group.first.values[0]! > 1.2e-38);
  }
  t.equal(group.first.values[0], 0);
  t.equal(group.second.values[0], 0);
});

t.test('Polyak moves the target its share of the way, and nothing else', async t => {
  const arena = new Arena([count, count]);
  const [target, source] = [arena.allocate(count), arena.allocate(count)];
  target.values.fill(1);
  source.values.forEach((_, i, values) => {
    values[i] = i;
  });
  optimiserKernels(arena.memory).polyak(target.byteOffset, source.byteOffset, count, 0.25);
  target.values.forEach((value, i) => {
    t.equal(value, 1 + 0.25 * (i - 1));
  });
  t.equal(source.values[5], 5);
});
