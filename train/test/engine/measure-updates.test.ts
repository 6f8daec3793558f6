import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { measureUpdates } from '../../src/engine/measure-updates.js';
import { sizes, smallSac } from './small-sac.js';

t.test('updates are counted, not calls, and at least one call is measured', async t => {
  const engine = await createEngine('fused-cpu', sac, sizes, smallSac, new Random(1), { updatesPerCall: 4 });
  const start = performance.now();
  const rate = await measureUpdates(engine, 0);
  t.equal(engine.updates, 8, 'one call to warm up, one that counts');
  t.ok(rate >= 4000 / (performance.now() - start), 'no fewer than four in the time of both');
  await engine.dispose();
});
