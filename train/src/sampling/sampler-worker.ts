/** The sampler thread: draws the calls of a block into the slots, as far ahead of the learner as there are slots. See sampler.ts. */
import { workerData } from 'node:worker_threads';
import { Random } from '@sim2servo/models/random';
import { transitionSource } from '../replay/mixer.js';
import { ReplayBuffer } from '../replay/replay-buffer.js';
import { serveTurns } from '../worker-turns.js';
import { callDrawer } from './call-drawer.js';
import { CallSlots } from './call-slots.js';
import type { DrawnBlock, SamplerSetup } from './sampler.js';

await serveTurns<DrawnBlock, readonly number[]>(async () => {
  const { calls, noise, replay, logged } = workerData as SamplerSetup;
  const source = transitionSource(
    ReplayBuffer.attach(replay),
    logged && { ...logged, replay: ReplayBuffer.attach(logged.replay) },
  );
  const ring = new CallSlots(calls);
  const draws = ring.slots.map(slot => callDrawer(slot, noise, source));
  return async block => {
    const random = Random.restore(block.random);
    for (let i = 0; i < block.calls; i++) ring.fill(slot => draws[slot]!(random, block.normaliser));
    return random.save();
  };
});
