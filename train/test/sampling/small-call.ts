/** Inputs of a call small enough to look at, and a replay to draw them from. */
import { Random } from '@sim2servo/models/random';
import { ReplayBuffer } from '../../src/replay/replay-buffer.js';
import type { CallInputs } from '../../src/sampling/batch-source.js';
import type { NoiseInputs } from '../../src/sampling/call-drawer.js';

const rows = 6;
const observationSize = 3;
const actionSize = 2;

/** One with a row for each transition, and one without. */
export const noise: NoiseInputs = {
  next: { shape: [rows, actionSize], draw: { kind: 'normal' } },
  subset: { shape: [1, 4], draw: { kind: 'subset', choose: 2 } },
};

export function emptyCall(updatesPerCall: number): CallInputs {
  const floats = (columns: number) => new Float32Array(updatesPerCall * rows * columns);
  return {
    batch: {
      observation: floats(observationSize),
      action: floats(actionSize),
      reward: floats(1),
      nextObservation: floats(observationSize),
      terminated: floats(1),
    },
    noise: { next: floats(actionSize), subset: new Float32Array(updatesPerCall * 4) },
    updatesPerCall,
  };
}

export function emptyReplay(): ReplayBuffer {
  return ReplayBuffer.create({ capacity: 40, slack: 4, observationSize, actionSize });
}

/** `count` transitions more, committed. */
export function fillReplay(replay: ReplayBuffer, count: number, random: Random): ReplayBuffer {
  const [before, after, action] = [observationSize, observationSize, actionSize].map(size => new Float32Array(size));
  for (let i = 0; i < count; i++) {
    for (const values of [before!, after!, action!]) random.fillNormal(values);
    replay.add(before!, action!, random.normal(), after!, random.uniform() < 0.2, false);
    replay.commit();
  }
  return replay;
}

export const filledReplay = (): ReplayBuffer => fillReplay(emptyReplay(), 50, new Random(1));
