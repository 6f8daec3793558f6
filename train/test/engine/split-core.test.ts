import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { compilePrograms } from '../../src/engine/compiled-programs.js';
import { drawNoise } from '../../src/engine/draw-noise.js';
import { openPublic } from '../../src/engine/graph-session.js';
import { initialState } from '../../src/engine/initial-state.js';
import { SplitCore } from '../../src/engine/split-core.js';
import { fillBatch, sizes, smallSac } from './small-sac.js';

const declaration = sac.declare(sizes, smallSac);
const state = initialState(declaration, new Random(1));
const widest = 16;

async function afterUpdates(partRows: number, count: number, open?: typeof openPublic) {
  const compiled = compilePrograms(declaration, 1, partRows * widest);
  const core = await SplitCore.open(compiled, { open });
  core.load(state);
  const [rows, noise] = [new Random(2), new Random(3)];
  for (let i = 0; i < count; i++) {
    fillBatch(core, rows);
    drawNoise(declaration.noise, noise, core.noise);
    for (const program of Object.keys(declaration.programs)) await core.apply(program);
    core.average('targetCritics');
    core.updates++;
  }
  const { metrics } = core;
  const saved = { ...core.save(), metrics: { ...metrics } };
  await core.dispose();
  return { parts: compiled.parts, ...saved };
}

t.test('a batch in parts, one after the other, gives the gradient and the metrics of the whole', async t => {
  const whole = await afterUpdates(16, 3);
  t.equal(whole.parts, 1);
  for (const [rows, parts] of [
    [8, 2],
    [5, 4],
  ] as const) {
    const cut = await afterUpdates(rows, 3);
    t.equal(cut.parts, parts, `${16 / parts} rows are the most that are no more than ${rows} and divide 16`);
    for (const [name, values] of Object.entries(whole.parameters)) {
      const difference = values.map((value, i) => value - cut.parameters[name]![i]!);
      const share = Math.hypot(...difference) / Math.hypot(...values);
      t.ok(share < 1e-4, `${name} differs by ${share}`);
    }
    for (const [name, value] of Object.entries(whole.metrics))
      t.ok(Math.abs(cut.metrics[name]! - value) < 1e-4 * Math.max(1, Math.abs(value)), name);
  }
});

t.test('parts are the same bit for bit where a graph does not run synchronously', async t => {
  t.same(await afterUpdates(4, 2, openPublic), await afterUpdates(4, 2));
});
