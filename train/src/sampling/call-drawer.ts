/** How one call of an engine is drawn: the batches of all its updates, then their noise, in this order from one generator. */
import type { Random } from '@sim2servo/models/random';
import type { NoiseInput } from '../algorithms/algorithm.js';
import { sliceOfCall } from '../engine/call-slice.js';
import { drawNoise } from '../engine/draw-noise.js';
import type { ObservationNormaliser } from '../observation-normaliser.js';
import type { TransitionSource } from '../replay/mixer.js';
import { asReplayBatch } from '../replay/replay-buffer.js';
import type { CallInputs } from './batch-source.js';

/** Noise as an algorithm declares it. */
export type NoiseInputs = Readonly<Record<string, NoiseInput>>;

/** The returned function fills `inputs`. */
export function callDrawer(
  { batch, noise, updatesPerCall = 1 }: CallInputs,
  declared: NoiseInputs,
  source: TransitionSource,
): (random: Random, normaliser: ObservationNormaliser) => void {
  const slices = (arrays: CallInputs['batch']) =>
    Array.from({ length: updatesPerCall }, (_, i) => sliceOfCall(arrays, i, updatesPerCall));
  const batches = slices(batch).map(asReplayBatch);
  const noises = slices(noise);
  return (random, normaliser) => {
    for (const rows of batches) source.sample(rows, random, normaliser);
    for (const values of noises) drawNoise(declared, random, values);
  };
}
