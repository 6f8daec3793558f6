import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { drawNoise } from '../../src/engine/draw-noise.js';

t.test('normal inputs are standard normal', async t => {
  const noise = { next: new Float32Array(20_000) };
  drawNoise({ next: { shape: [10_000, 2], draw: { kind: 'normal' } } }, new Random(1), noise);
  const mean = noise.next.reduce((sum, x) => sum + x, 0) / noise.next.length;
  const variance = noise.next.reduce((sum, x) => sum + x * x, 0) / noise.next.length;
  t.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean}, ${variance}`);
});

t.test('a subset has exactly so many members, each as often as the others', async t => {
  const rows = 9000;
  const noise = { subset: new Float32Array(rows * 5) };
  drawNoise({ subset: { shape: [rows, 5], draw: { kind: 'subset', choose: 2 } } }, new Random(2), noise);
  const often = [0, 0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const marks = [...noise.subset.subarray(row * 5, row * 5 + 5)];
    if (marks.reduce((a, b) => a + b) !== 2 || marks.some(mark => mark !== 0 && mark !== 1)) t.fail(marks.join());
    marks.forEach((mark, i) => {
      often[i]! += mark;
    });
  }
  for (const times of often) t.ok(Math.abs(times / rows - 0.4) < 0.03, `${times / rows}`);
});

t.test('the same seed draws the same', async t => {
  const draw = () => {
    const noise = { a: new Float32Array(3), b: new Float32Array(4) };
    const declared = {
      a: { shape: [3, 1], draw: { kind: 'normal' } },
      b: { shape: [1, 4], draw: { kind: 'subset', choose: 3 } },
    } as const;
    drawNoise(declared, new Random(5), noise);
    return noise;
  };
  t.same(draw(), draw());
});
