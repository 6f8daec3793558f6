import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { compareVersions, runtimeVersion } from '../src/version.js';

t.test('the version is that of the package', async t => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  t.equal(runtimeVersion, version);
});

t.test('versions compare by their numbers, not by their letters', async t => {
  t.ok(compareVersions('0.9.0', '0.10.0') < 0);
  t.ok(compareVersions('1.0.0', '0.99.99') > 0);
  t.ok(compareVersions('0.1.1', '0.1.0') > 0);
  t.equal(compareVersions('0.1.0', '0.1.0'), 0);
});

t.test('the order is that of three digits of a number', async t => {
  const part = fc.nat({ max: 99 });
  fc.assert(
    fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (a, b) => {
      const number = ([x, y, z]: [number, number, number]) => 10_000 * x + 100 * y + z;
      return Math.sign(compareVersions(a.join('.'), b.join('.'))) === Math.sign(number(a) - number(b));
    }),
  );
  t.pass();
});
