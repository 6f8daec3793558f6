import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { constantInitialiser, elementCount, fanInUniform, prefixed } from '../../src/nn/parameter.js';

t.test('a scalar has one element', async t => {
  t.equal(elementCount([]), 1);
  t.equal(elementCount([3, 4]), 12);
});

t.test('initial values depend on the seed alone', async t => {
  const draw = (seed: number) => {
    const out = new Float32Array(8);
    fanInUniform(4)(new Random(seed), out);
    return [...out];
  };
  t.same(draw(1), draw(1));
  t.notSame(draw(1), draw(2));
});

t.test('a constant initialiser draws nothing', async t => {
  const random = new Random(1);
  const before = random.save();
  const out = new Float32Array(2);
  constantInitialiser(0.5)(random, out);
  t.same([...out], [0.5, 0.5]);
  t.same(random.save(), before);
});

t.test('a prefix goes before the name and leaves the rest', async t => {
  const [parameter] = prefixed('3', [{ name: 'out/bias', shape: [2], initialise: constantInitialiser(1) }]);
  t.equal(parameter?.name, '3/out/bias');
  t.same(parameter?.shape, [2]);
});
