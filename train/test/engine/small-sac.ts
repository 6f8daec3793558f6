/** A SAC small enough for tests of engines, and batches for it. */
import { Random } from '@sim2servo/models/random';
import { type SacConfig, sac } from '../../src/algorithms/sac.js';
import { sliceOfCall } from '../../src/engine/call-slice.js';
import type { Engine } from '../../src/engine/engine.js';

export const sizes = { observation: 5, action: 2 };

export const smallSac: SacConfig = { ...sac.defaults, hiddenSizes: [16, 16], batchSize: 16 };

/** Fills the batch of one update, or of all updates of a call. */
export function fillBatch(
  { batch, updatesPerCall = 1 }: Pick<Engine, 'batch' | 'updatesPerCall'>,
  random: Random,
): void {
  for (let call = 0; call < updatesPerCall; call++) {
    const { observation, nextObservation, reward, action, terminated } = sliceOfCall(batch, call, updatesPerCall);
    random.fillNormal(observation!);
    random.fillNormal(nextObservation!);
    random.fillNormal(reward!);
    for (let i = 0; i < action!.length; i++) action![i] = random.uniform(-1, 1);
    for (let i = 0; i < terminated!.length; i++) terminated![i] = random.integer(5) === 0 ? 1 : 0;
  }
}

/** `count` updates in all, on the same batches and noise however many of them the engine makes at once. */
export async function runUpdates(
  engine: Engine,
  count: number,
  random: Random,
  noise = new Random(random.word()),
): Promise<void> {
  for (let i = 0; i < count; i += engine.updatesPerCall ?? 1) {
    fillBatch(engine, random);
    engine.drawNoise(noise);
    await engine.update();
  }
}
