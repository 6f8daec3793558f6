import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { cacheFolder, candidatesHere, choiceLine, chooseEngine } from '../../src/engine/choose-engine.js';
import { sizes, smallSac } from './small-sac.js';

const absent = process.platform === 'win32' ? 'fused-coreml' : 'fused-dml';
const candidates = ['split', 'eager-cpu', 'fused-cpu', absent] as const;
const choose = (folder: string, config = smallSac) =>
  chooseEngine(sac, sizes, config, { folder, candidates, measureMs: 100 });

t.test('every engine that starts is measured, and the fastest is picked', async t => {
  const choice = await choose(t.testdir());
  t.same(
    choice.measured.map(({ engine }) => engine),
    candidates,
  );
  const figures = choice.measured.flatMap(({ updatesPerSecond }) => updatesPerSecond ?? []);
  t.equal(figures.length, 3);
  const mine = choice.measured.find(({ engine }) => engine === choice.engine)!;
  t.equal(mine.updatesPerSecond, Math.max(...figures));
  t.equal(choice.updatesPerCall, choice.engine === 'fused-cpu' ? 8 : undefined);
  t.match(choice.measured.at(-1), { engine: absent, absent: /can't start here/ });
  t.not(choice.engine, 'eager-cpu', 'the reference is slower than a compiled graph');
});

t.test('one line says what was picked, how fast it is, and what the others were', async t => {
  const measured = [
    { engine: 'split' as const, updatesPerSecond: 1234.5 },
    { engine: 'fused-webgpu' as const, updatesPerSecond: 5678 },
    { engine: 'fused-cuda' as const, absent: 'no card' },
  ];
  const line = choiceLine({
    format: 'sim2servo/engine-choice@1',
    engine: 'fused-webgpu',
    updatesPerCall: 8,
    measured,
    date: '2026-01-02T03:04:05.000Z',
    from: 'measured now',
  });
  t.equal(
    line,
    'engine fused-webgpu, the fastest here: 5680 updates/s; split 1230, fused-cuda is not to be had (no card) (measured now)',
  );
});

t.test('the choice is remembered for the same algorithm and sizes, and for no others', async t => {
  const folder = t.testdir();
  const first = await choose(folder);
  t.equal(first.from, 'measured now');
  const again = await choose(folder);
  t.same(again.measured, first.measured);
  t.match(again.from, /^measured on 20\d\d-/);
  const other = await choose(folder, { ...smallSac, batchSize: 32 });
  t.equal(other.from, 'measured now');
  t.equal(readdirSync(folder).length, 2);
});

t.test('a remembered engine that no longer starts, and a file that is no answer, are measured again', async t => {
  const folder = t.testdir();
  await choose(folder);
  const file = join(folder, readdirSync(folder)[0]!);
  const kept = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...kept, engine: absent, updatesPerCall: 8 }));
  const gone = await choose(folder);
  t.equal(gone.from, 'measured now');
  t.not(gone.engine, absent);
  writeFileSync(file, '{"format":');
  t.equal((await choose(folder)).from, 'measured now');
});

t.test('where it cannot be remembered it is picked all the same, and the line says so', async t => {
  const folder = join(t.testdir({ file: '' }), 'file');
  chmodSync(folder, 0o444);
  t.match((await choose(folder)).from, /^measured now, not remembered: .*(EEXIST|ENOTDIR|EACCES)/);
});

t.test('where nothing starts it is an error', async t => {
  await t.rejects(chooseEngine(sac, sizes, smallSac, { folder: t.testdir(), candidates: [absent] }), {
    code: 'E_ENGINE_MISSING',
    message: /No engine starts here/,
  });
});

t.test('candidates are split and what a graphics card may run; the folder is the one that is asked for', async t => {
  t.equal(candidatesHere()[0], 'split');
  t.ok(candidatesHere().includes('fused-webgpu'));
  t.notOk(candidatesHere().includes('eager-cpu'));
  process.env.KIT_CACHE_DIR = '/elsewhere';
  t.equal(cacheFolder(), '/elsewhere');
  delete process.env.KIT_CACHE_DIR;
  t.match(cacheFolder(), /sim2servo$/);
});
