import t from 'tap';
import { fitNormaliser, identityNormaliser, normalise, stdFloor } from '../src/observation-normaliser.js';

t.test('mean and standard deviation are those of the textbook', t => {
  const { mean, std } = fitNormaliser(Float32Array.of(1, 10, 3, 10, 5, 10, 7, 14), 2, 4);
  t.strictSame([...mean], [4, 11]);
  t.strictSame([...std], [Math.fround(Math.sqrt(5)), Math.fround(Math.sqrt(3))]);
  t.end();
});

t.test('a feature that never moved is not divided by nothing', t => {
  const { std } = fitNormaliser(Float32Array.of(2, 2, 2), 1, 3);
  t.strictSame([...std], [Math.fround(stdFloor)]);
  t.end();
});

t.test('a large mean costs no digits', t => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => 10_000 + (i % 2));
  const { std } = fitNormaliser(values, 1, 1000);
  t.ok(Math.abs(std[0]! - 0.5) < 1e-6);
  t.end();
});

t.test('normalising works row by row, in place too', t => {
  const rows = Float32Array.of(3, 10, 5, 20);
  normalise({ mean: Float32Array.of(1, 10), std: Float32Array.of(2, 10) }, rows, rows, 2);
  t.strictSame([...rows], [1, 0, 2, 1]);
  const same = Float32Array.of(4, 5);
  normalise(identityNormaliser(2), same, same);
  t.strictSame([...same], [4, 5]);
  t.end();
});

t.test('no observation makes no normaliser', t => {
  t.throws(() => fitNormaliser(new Float32Array(0), 2, 0), { code: 'E_NO_OBSERVATIONS' });
  t.end();
});
