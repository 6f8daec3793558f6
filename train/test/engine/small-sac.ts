/** A SAC small enough for tests of engines, and batches for it. */
import type { Random } from '@sim2servo/models/random';
import { type SacConfig, sac } from '../../src/algorithms/sac.js';
import type { Engine } from '../../src/engine/engine.js';

export const sizes = { observation: 5, action: 2 };

export const smallSac: SacConfig = { ...sac.defaults, hiddenSizes: [16, 16], batchSize: 16 };

export function fillBatch({ batch }: Engine, random: Random): void {
  random.fillNormal(batch.observation!);
  random.fillNormal(batch.nextObservation!);
  random.fillNormal(batch.reward!);
  for (let i = 0; i < batch.action!.length; i++) batch.action![i] = random.uniform(-1, 1);
  for (let i = 0; i < batch.terminated!.length; i++) batch.terminated![i] = random.integer(5) === 0 ? 1 : 0;
}

export async function runUpdates(engine: Engine, count: number, random: Random): Promise<void> {
  for (let i = 0; i < count; i++) {
    fillBatch(engine, random);
    engine.drawNoise(random);
    await engine.update();
  }
}
