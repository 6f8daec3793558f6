import t from 'tap';
import { ScalarMeans } from '../src/scalar-means.js';

t.test('each metric is averaged over the updates that reported it, since the last look', t => {
  const means = new ScalarMeans();
  const reused: Record<string, number> = { a: 1 };
  means.add(reused);
  reused.a = 3;
  means.add(reused);
  means.add({ b: 5 });
  t.strictSame(means.take(), { a: 2, b: 5 });
  t.strictSame(means.take(), {});
  t.end();
});
