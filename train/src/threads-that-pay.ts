/** How many threads the split engine has use for. */
import { availableParallelism } from 'node:os';
import type { SacConfig } from './algorithms/sac.js';

/**
 * Products of one forward pass (rows × inputs × outputs, hidden layers) below which one thread more gains nothing: what the exchange of
 * gradients costs eats it. A quarter of a batch of 256 through 2×256; docs/performance.md has the measurement.
 */
const productsPerThread = 64 * 256 * 256;

/** @param cores  that may be used */
export function threadsThatPay(
  { hiddenSizes, batchSize }: Pick<SacConfig, 'hiddenSizes' | 'batchSize'>,
  cores: number = availableParallelism(),
): number {
  const products = hiddenSizes.slice(1).reduce((sum, units, i) => sum + batchSize * units * hiddenSizes[i]!, 0);
  let threads = Math.max(1, Math.min(cores, Math.floor(products / productsPerThread)));
  while (batchSize % threads !== 0) threads--;
  return threads;
}

/**
 * Whether it pays to draw batches in a thread of its own: only where a core is left for it beside the learner's threads and the
 * environment's, and only within a block, as its first call has to be waited for.
 */
export function samplerPays(threads: number, callsPerBlock: number, cores: number = availableParallelism()): boolean {
  return cores >= threads + 2 && callsPerBlock >= 2;
}
