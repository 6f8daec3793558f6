import fc from 'fast-check';
import t from 'tap';
import { Random } from '../src/random.js';

t.test('the words are those of xoshiro128**', async t => {
  // By hand from the algorithm, state 1, 2, 3, 4: rotl(2·5, 7)·9, then s = (7, 0, 1026, 12288), and so on.
  const random = Random.restore([1, 2, 3, 4]);
  t.equal(random.word(), 11520);
  t.same(random.save(), [7, 0, 1026, 12288]);
  t.equal(random.word(), 0);
  t.same(random.save(), [12295, 1029, 1029, 25165824]);
  t.equal(random.word(), 5927040);
});

t.test('the same seed gives the same draws, another seed others', async t => {
  const draws = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => random.word());
  };
  t.same(draws(7), draws(7));
  t.notSame(draws(7), draws(8));
  t.notSame(draws(0), draws(1), 'neighbouring seeds, too');
  t.ok(new Set(draws(0)).size > 18, 'seed 0 is no fixed point');
});

t.test('a restored generator goes on where the saved one was', async t => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(50), (seed, drawn) => {
      const random = new Random(seed);
      for (let i = 0; i < drawn; i++) random.normal();
      const copy = Random.restore(JSON.parse(JSON.stringify(random.save())) as number[]);
      for (let i = 0; i < 20; i++) if (random.normal() !== copy.normal()) return false;
      return true;
    }),
  );
  t.pass();
});

t.test('a fork is its own generator: by label, and untouched by draws of its parent', async t => {
  const draws = (random: Random) => Array.from({ length: 8 }, () => random.word());
  t.same(draws(new Random(3).fork('a')), draws(new Random(3).fork('a')));
  t.notSame(draws(new Random(3).fork('a')), draws(new Random(3).fork('b')));
  t.notSame(draws(new Random(3).fork('a')), draws(new Random(4).fork('a')));
  const parent = new Random(3);
  const fork = parent.fork('a');
  draws(parent);
  t.same(draws(fork), draws(new Random(3).fork('a')));
});

t.test('uniform draws lie in their interval and fill it evenly', async t => {
  const random = new Random(11);
  const bins = new Array<number>(20).fill(0);
  const n = 40_000;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const x = random.uniform(-2, 3);
    if (!(x >= -2 && x < 3)) t.fail(`${x} lies outside`);
    bins[Math.floor(((x + 2) / 5) * 20)]! += 1;
    sum += x;
  }
  const expected = n / 20;
  const chiSquare = bins.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
  t.ok(chiSquare < 43.8, `chi-square ${chiSquare} of 19 degrees of freedom, 0.1 % lies beyond 43.8`);
  t.ok(Math.abs(sum / n - 0.5) < (4 * (5 / Math.sqrt(12))) / Math.sqrt(n), 'mean');
});

t.test('integers are every number below the bound and no other', async t => {
  const random = new Random(12);
  const counts = new Map<number, number>();
  for (let i = 0; i < 6000; i++) {
    const k = random.integer(6);
    counts.set(k, (counts.get(k) ?? 0) + 1);
  }
  t.same([...counts.keys()].sort(), [0, 1, 2, 3, 4, 5]);
  for (const count of counts.values()) t.ok(Math.abs(count - 1000) < 4 * Math.sqrt(1000), `${count} of 6000`);
  t.equal(new Random(1).integer(1), 0);
});

/** Mean, variance, skewness and kurtosis. */
function moments(values: ArrayLike<number>): [number, number, number, number] {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i]! / n;
  const central = [0, 0, 0];
  for (let i = 0; i < n; i++)
    for (const [k, power] of [2, 3, 4].entries()) central[k]! += (values[i]! - mean) ** power / n;
  const [second, third, fourth] = central as [number, number, number];
  return [mean, second, third / second ** 1.5, fourth / second ** 2];
}

t.test('normal draws have the moments of the standard normal distribution', async t => {
  const n = 40_000;
  const single = new Random(5);
  const filled = new Float32Array(n);
  new Random(6).fillNormal(filled);
  for (const [way, values] of [
    ['normal', Array.from({ length: n }, () => single.normal())],
    ['fillNormal', filled],
  ] as const) {
    const [mean, variance, skewness, kurtosis] = moments(values);
    t.ok(Math.abs(mean) < 4 / Math.sqrt(n), `${way}: mean ${mean}`);
    t.ok(Math.abs(variance - 1) < 4 * Math.sqrt(2 / n), `${way}: variance ${variance}`);
    t.ok(Math.abs(skewness) < 4 * Math.sqrt(6 / n), `${way}: skewness ${skewness}`);
    t.ok(Math.abs(kurtosis - 3) < 4 * Math.sqrt(24 / n), `${way}: kurtosis ${kurtosis}`);
  }
});

t.test('the draws of one pair are independent of each other', async t => {
  const n = 20_000;
  const pairs = new Float32Array(2 * n);
  new Random(9).fillNormal(pairs);
  let product = 0;
  for (let i = 0; i < n; i++) product += (pairs[2 * i]! * pairs[2 * i + 1]!) / n;
  t.ok(Math.abs(product) < 4 / Math.sqrt(n), `covariance ${product}`);
});

t.test('every length is filled, with finite numbers', async t => {
  for (const length of [0, 1, 2, 3, 7]) {
    const out = new Float32Array(length).fill(Number.NaN);
    new Random(1).fillNormal(out);
    t.ok(out.every(Number.isFinite), `length ${length}`);
  }
});
