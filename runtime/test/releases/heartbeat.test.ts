import { lstatSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { beat, hasBeaten } from '../../src/releases/heartbeat.js';

t.test('what was touched a short while ago is believed', async t => {
  const path = join(t.testdir(), 'mark');
  t.equal(hasBeaten(path), false, 'it is not there');
  writeFileSync(path, '');
  for (const [ageMs, recent] of [
    [0, true],
    [59_000, true],
    [61_000, false],
    [-61_000, false],
  ] as const) {
    const at = new Date(Date.now() - ageMs);
    utimesSync(path, at, at);
    t.equal(hasBeaten(path), recent, `${ageMs} ms: a clock may have been set back since`);
  }
  t.equal(hasBeaten(path, 120_000), true, 'for longer where longer is asked');
  beat(path);
  t.equal(hasBeaten(path), true);
});

t.test('a link beats itself, though what it names is nowhere', async t => {
  const path = join(t.testdir(), 'lock');
  symlinkSync('{"pid":1}', path);
  const before = lstatSync(path).mtimeMs;
  await new Promise(resolve => setTimeout(resolve, 20));
  beat(path);
  t.ok(lstatSync(path).mtimeMs > before);
  t.doesNotThrow(() => beat(join(t.testdirName, 'gone')), 'what is not there any more');
});
