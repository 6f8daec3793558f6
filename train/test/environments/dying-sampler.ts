/** A sampler thread for sampler.test.ts that fills one slot of the block and then ends without a word. */
import { workerData } from 'node:worker_threads';
import { CallSlots } from '../../src/sampling/call-slots.js';
import type { DrawnBlock, SamplerSetup } from '../../src/sampling/sampler.js';
import { serveTurns } from '../../src/worker-turns.js';

await serveTurns<DrawnBlock, readonly number[]>(async () => {
  const ring = new CallSlots((workerData as SamplerSetup).calls);
  return async () => {
    ring.fill(() => {});
    process.exit(4);
  };
});
