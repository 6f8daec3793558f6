import t from 'tap';
import { ActorAverage } from '../src/actor-average.js';

t.test('the first actor is the average, not a share of it', t => {
  const average = new ActorAverage(2, 100);
  average.add(Float32Array.of(4, -2), 1);
  t.strictSame([...average.values], [4, -2]);
  t.end();
});

t.test('an actor’s share falls to 1/e over the horizon', t => {
  const average = new ActorAverage(1, 50);
  for (let i = 0; i < 100; i++) average.add(Float32Array.of(1), 50);
  average.add(Float32Array.of(0), 50);
  t.ok(Math.abs(average.values[0]! - Math.exp(-1)) < 1e-6);
  t.end();
});

t.test('two calls of one update weigh as one of two', t => {
  const [single, double] = [new ActorAverage(1, 10), new ActorAverage(1, 10)];
  single.add(Float32Array.of(3), 1);
  double.add(Float32Array.of(3), 1);
  single.add(Float32Array.of(1), 1);
  single.add(Float32Array.of(1), 1);
  double.add(Float32Array.of(1), 2);
  t.ok(Math.abs(single.values[0]! - double.values[0]!) < 1e-6);
  t.end();
});

t.test('no updates change nothing', t => {
  const average = new ActorAverage(1, 10);
  average.add(Float32Array.of(5), 0);
  t.equal(average.values[0], 0);
  average.add(Float32Array.of(5), 3);
  average.add(Float32Array.of(9), 0);
  t.equal(average.values[0], 5);
  t.end();
});
