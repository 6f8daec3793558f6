/** How fast an engine is: updates a second on batches of random numbers. */
import { Random } from '@sim2servo/models/random';
import type { Engine } from './engine.js';

/**
 * Runs whole calls until `ms` are over, at least one, after a first one that is not counted: it compiles kernels and shaders.
 *
 * The data stays the same: a GPU uploads it again at each call, and what drawing it costs is not the engine's.
 */
export async function measureUpdates(engine: Engine, ms: number): Promise<number> {
  const random = new Random(0);
  for (const [name, values] of Object.entries(engine.batch)) {
    if (name !== 'terminated') random.fillNormal(values);
  }
  engine.drawNoise(random);
  await engine.update();
  const first = engine.updates;
  const start = performance.now();
  do await engine.update();
  while (performance.now() - start < ms);
  return ((engine.updates - first) * 1000) / (performance.now() - start);
}
